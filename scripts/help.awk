# Prints the targets of the Makefile with their help lines, within 80 columns, and the boards that BOARD= takes. BOARDS are
# their files, spaces between them.
BEGIN { FS = ":.*## "; WIDTH = 80 }

/^##@ / { printf "\n%s\n", substr($0, 5) }
/^[a-z]+:.*## / { wrapped(sprintf("  %-10s", $1), $2) }

END {
    boards = ENVIRON["BOARDS"]
    gsub(/[^ ]*\//, "", boards)
    gsub(/\.toml/, "", boards)
    print ""
    wrapped("BOARD= is", boards)
    wrapped("Variables", "go behind the target: make kmodel SIZE=224x224. V=1 shows the commands. PYTHON=PATH names the Python 3.10.")
}

# Words behind a beginning, further lines indented by 13.
function wrapped(line, text,    count, words, n) {
    count = split(text, words, " ")
    for (n = 1; n <= count; n++) {
        if (length(line) + 1 + length(words[n]) > WIDTH) {
            print line
            line = "            "
        }
        line = line " " words[n]
    }
    print line
}
