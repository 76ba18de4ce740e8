# Counts the lines of code in src/: no blank ones, no comments, no unit tests (the module of tests in a file, and files of tests).
# Sourced by tests/run.

count_lines() {
  find src -name '*.rs' ! -name tests.rs ! -path '*/tests/*' -exec awk '
    FNR == 1 { tests = 0; marked = 0 }
    tests { next }
    marked && /^(pub(\([a-z]+\))? )?mod [a-z_]+ \{/ { tests = 1; lines[FILENAME]--; next }
    { marked = /^#\[cfg\(test\)\]/ }
    !/^[[:space:]]*(\/\/.*)?$/ { lines[FILENAME]++ }
    END { for (file in lines) print lines[file], file }
  ' {} + | sort -n | awk '
    { count[NR] = $1; sum += $1 }
    END {
      printf "%d lines in %d files: median %d, nine of ten up to %d, the largest %s\n", \
        sum, NR, count[int((NR + 1) / 2)], count[int(NR * 0.9)], $1 " (" $2 ")"
    }'
}
