# SPDX-License-Identifier: BSD-3-Clause
# What a shell script does with files, pipes and processes; run by the same shell here and on Linux.
set -u
mkdir work && cd work || exit 1
echo one two three | { read -r a b; echo "$b/$a"; }
for i in 1 2 3; do echo "line $i"; done > lines
while read -r word number; do echo "$number $word"; done < lines
cat_file() { while IFS= read -r line; do printf '%s\n' "$line"; done < "$1"; }
cat_file lines
echo more >> lines
cat_file lines
x=$(echo nested $(echo deeper))
echo "$x" "${x#nested }" "${#x}"
(exit 7); echo "status $?"
false || echo "or"; true && echo "and"
{ echo out; echo err >&2; } 2> errors | { read -r line; echo "got $line"; }
cat_file errors
test -f lines && test -d . && test ! -e none && echo tests
case lines in l*) echo matched ;; *) echo no ;; esac
while IFS= read -r line; do echo "here: $line"; done <<END
a document
with $((6 * 7))
END
trap 'echo caught' USR1
kill -USR1 $$
(trap 'echo inner; exit 3' TERM; kill -TERM "$(sh -c 'echo $PPID')"; while :; do :; done); echo "status $?"
sh -c 'exit 5' & wait $!; echo "background $?"
echo "$(umask)"; umask 077; echo "$(umask)"
cd .. && cd - > /dev/null && cd .. || exit 1
ls_names() { for name in work/*; do echo "$name"; done; }
ls_names
exec 3> work/third; echo to three >&3; exec 3>&-
cat_file work/third
set -- a 'b c' d; echo $# "$2"; shift; echo "$*"
eval 'v=evaluated'; echo "$v"
: > work/empty; test -s work/empty || echo empty
i=0; while [ $i -lt 20 ]; do (exit $i) || :; i=$((i + 1)); done; echo "forked $i"
