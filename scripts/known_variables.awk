# Reads the Makefile's own help lines, and says what is wrong with variables that were typed behind a target and that none
# of the targets takes: one line, or nothing. GIVEN are the variables and GOALS the targets, spaces between them.
BEGIN {
    FS = ":.*## "
    given_count = split(ENVIRON["GIVEN"], given, " ")
    goal_count = split(ENVIRON["GOALS"], goals, " ")
    for (n = 1; n <= goal_count; n++) wanted[goals[n]] = 1
    # For every target: those that setup reads, and make's own.
    split("V PYTHON SHELL", everywhere, " ")
    for (n in everywhere) taken[everywhere[n]] = 1
}

/^[a-z]+:.*## / {
    target = $1
    text = $2
    while (match(text, /[A-Z_]+=/)) {
        name = substr(text, RSTART, RLENGTH - 1)
        text = substr(text, RSTART + RLENGTH)
        takers[name] = takers[name] (takers[name] ? ", " : "") target
        if (target in wanted) {
            taken[name] = 1
            list = list " " name "="
        }
    }
}

END {
    for (n = 1; n <= given_count; n++) {
        name = given[n]
        if (name in taken) continue
        what = ENVIRON["GOALS"] ? "make " ENVIRON["GOALS"] : "make"
        right = toupper(name)
        gsub(/-/, "_", right)
        if (right in taken) print name "= is no variable of `" what "`: is it " right "=?"
        else if (right in takers) print name "= is no variable of `" what "`, but of: " takers[right] ", see `make help`"
        else if (near(name) != "") print name "= is no variable of `" what "`: is it " near(name) "=?"
        else print name "= is no variable of `" what "`" (list ? "; it takes" list : ", which takes none")
        exit
    }
}

# The variable of the targets that begins as `name` does, or is one letter off; "" where there is none.
function near(name,    each) {
    name = toupper(name)
    for (each in taken) if (length(each) > 2 && (index(each, name) == 1 || index(name, each) == 1)) return each
    for (each in taken) if (length(each) > 2 && one_off(name, each)) return each
    return ""
}

# Whether two words differ in one letter, or in two neighbours that are exchanged.
function one_off(one, other,    at, head, tail) {
    at = 1
    while (at <= length(one) && substr(one, at, 1) == substr(other, at, 1)) at++
    tail = substr(one, at)
    head = substr(other, at)
    if (substr(tail, 2) == substr(head, 2) || substr(tail, 2) == head || tail == substr(head, 2)) return 1
    return substr(tail, 1, 1) == substr(head, 2, 1) && substr(tail, 2, 1) == substr(head, 1, 1) && substr(tail, 3) == substr(head, 3)
}
