# Diverts a name on a DNS server, or ends that: run as "sh -s -- ACT FILE RUN CONTENT CHECK RELOAD FORCE" on the server itself, so
# that it comes to its end, or takes everything back, also when the connection is lost half-way.
# ACT is add or remove; FILE the one file for this name; CHECK and RELOAD command lines of the platform's configuration.
# Says "new", "already", "removed", "none" or "others". Exit codes: 3 no folder, 4 broken before, 5 refused, 6 not put in force,
# 7 diverted differently.

old() { [ -e "$file" ] && mv -f -- "$file" "$folder/.liandun.old"; }

back() {
    rm -f -- "$file"
    [ -e "$folder/.liandun.old" ] && mv -f -- "$folder/.liandun.old" "$file"
    [ "$1" = 6 ] && sh -c "$reload" >/dev/null 2>&1
    exit "$1"
}

in_force() {
    sh -c "$check" >&2 || back 5
    sh -c "$reload" >&2 || back 6
    rm -f -- "$folder/.liandun.old"
}

main() {
    exec </dev/null
    act=$1 file=$2 run=$3 content=$4 check=$5 reload=$6 force=$7 folder=${2%/*}
    [ -d "$folder" ] || { echo "there is no folder $folder" >&2; exit 3; }
    exec 9>"$folder/.liandun.lock" && flock 9 || exit 3
    holder=$(sed -n '1s/^# liandun //p' "$file" 2>/dev/null)
    rm -f -- "$folder/.liandun.old"
    sh -c "$check" >&2 || exit 4
    if [ "$act" = add ] && [ -e "$file" ]; then
        [ "$(tail -n +2 -- "$file")" = "$content" ] || { echo "it is diverted elsewhere" >&2; exit 7; }
        [ "$holder" = "$run" ] && { sh -c "$reload" >&2 || exit 6; }   # a crash may have come before it was put in force
        echo already
    elif [ "$act" = add ]; then
        printf '# liandun %s\n%s\n' "$run" "$content" >"$folder/.liandun.new" || exit 3
        mv -f -- "$folder/.liandun.new" "$file" || exit 3
        in_force
        echo new
    elif [ ! -e "$file" ]; then
        echo none
    elif [ "$holder" != "$run" ] && [ "$force" != yes ]; then
        echo others
    else
        old
        in_force
        echo removed
    fi
}

main "$@"
