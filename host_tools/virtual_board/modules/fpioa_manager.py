"""MaixPy's fpioa_manager: the functions of pins, with a warning where one moves."""

from Maix import FPIOA


class fm:  # noqa: N801 - MaixPy's name
    fpioa = FPIOA()

    @staticmethod
    def get_pin_by_function(function):
        return fm.fpioa.get_Pin_num(function)

    @staticmethod
    def register(pin, function, force=True):
        used = fm.get_pin_by_function(function)
        if used == pin:
            return
        if used is not None:
            text = f"[Warning] function is used by {fm.str_function(function)}(pin:{used})"
            if not force:
                raise Exception(text)  # noqa: TRY002 - as MaixPy
            print(text)
        fm.fpioa.set_function(pin, function)

    @staticmethod
    def unregister(pin):
        fm.fpioa.set_function(pin, fm.fpioa.RESV0)

    @staticmethod
    def str_function(function):
        if FPIOA.GPIO0 <= function <= FPIOA.GPIO7:
            return f"fm.fpioa.GPIO{function - FPIOA.GPIO0}"
        if FPIOA.GPIOHS0 <= function <= FPIOA.GPIOHS31:
            return f"fm.fpioa.GPIOHS{function - FPIOA.GPIOHS0}"
        return "unknown"

    @staticmethod
    def get_gpio_used():
        functions = range(FPIOA.GPIOHS0, FPIOA.GPIO7 + 1)
        return [(fm.str_function(function), fm.get_pin_by_function(function)) for function in functions]

    @staticmethod
    def help():
        fm.fpioa.help()
