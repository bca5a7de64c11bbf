# posenet-maix: finishes a deploy
# This is main.py while files of the program are exchanged, and exchanges them; if the board goes off meanwhile, the
# next start does the rest. Before it is put in place, all new files lie whole and checked beside the old ones.
import os

import ujson

FLASH = "/flash/"
NEW = ".new"
LIST = "posenet_files.json"
MAIN = "main.py"


def there(name):
    return name in os.listdir(FLASH[:-1])


def exchange(name):
    if not there(name + NEW):
        return False
    try:
        os.rename(FLASH + name + NEW, FLASH + name)
    except OSError:
        # Where a file of that name is in the way.
        os.remove(FLASH + name)
        os.rename(FLASH + name + NEW, FLASH + name)
    print("posenet: new", name)
    return True


def finish():
    with open(FLASH + (LIST + NEW if there(LIST + NEW) else LIST)) as file:
        names = ujson.load(file)["files"]
    for name in names:
        if name != MAIN:
            exchange(name)
    exchange(LIST)
    return exchange(MAIN)


if not finish():
    print("posenet: a deploy was broken off and main.py is missing; run `deploy` again")
elif "DEPLOYING" not in globals():
    import machine

    machine.reset()
