# Reads a host's volatile data and files and says them on standard output: run as "sh -s", with a line mark=… before and calls of
# part and file after (gathering.py). Writes nothing there: no file, no temporary file, no terminal.
# What is said stands between "MARK begin NAME" and "MARK end CODE"; complaints stand in the same frame on standard error. The mark
# stands in no argument and no environment, so that a list of processes cannot hold it.

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TZ=UTC0
export PATH LC_ALL TZ
exec 3>&1 5>&2
limit=
timeout 5 true >/dev/null 2>&1 && limit="timeout 20"

run() { # NAME OCTETS COMMAND [ARGUMENT]: the command's exit code is left in $code
    printf '\n%s begin %s\n' "$mark" "$1" >&3
    printf '\n%s begin %s\n' "$mark" "$1" >&5
    code=$({ {
        { $limit sh -c "$3" sh "$4" </dev/null 3>&- 4>&- 5>&- 6>&-; printf %s "$?" >&6; } 2>&4 | head -c "$2" >&3
    } 4>&1 | { head -c 2000; cat >/dev/null; } >&5; } 6>&1)
    printf '\n%s end %s\n' "$mark" "$code" >&3
    printf '\n%s end %s\n' "$mark" "$code" >&5
}

part() { # NAME OCTETS (PROGRAM COMMAND)…: the first alternative that is there and succeeds; PROGRAM may be a file to be read
    name=$1 most=$2 number=0
    shift 2
    while [ $# -gt 0 ]; do
        number=$((number + 1))
        if command -v "$1" >/dev/null 2>&1 || { [ "${1#/}" != "$1" ] && [ -r "$1" ]; }; then
            run "$name-$number" "$most" "$2"
            [ "$code" = 0 ] && return
        fi
        shift 2
    done
}

state() { # NUMBER WORD
    run "file-$1-state" 100 'printf %s "$1"' "$2"
}

file() { # NUMBER PATH: only a regular file, as long as it was when it was looked at, and only whole
    run "file-$1-stat" 400 'stat -c "%s %a %u %g %i %X %Y %Z" -- "$1"' "$2"
    if [ -L "$2" ]; then
        state "$1" symlink
        run "file-$1-target" 4096 'readlink -- "$1"' "$2"
        return
    fi
    [ -e "$2" ] || { state "$1" missing; return; }
    [ -d "$2" ] && { state "$1" directory; return; }
    [ -f "$2" ] || { state "$1" special; return; }
    case $($limit stat -f -c %T -- "$2" 2>/dev/null) in
        proc | sysfs | debugfs | tracefs | securityfs | cgroup* | bpf_fs | configfs | pstorefs | devpts) state "$1" special; return ;;
    esac
    [ -r "$2" ] || { state "$1" unreadable; return; }
    size=$(stat -c %s -- "$2" 2>/dev/null) || { state "$1" unreadable; return; }
    [ "$size" -le "$left" ] || { state "$1" too_large; return; }
    left=$((left - size))
    state "$1" regular
    # not through a link that was put there meanwhile, and without changing the time of access, where dd can do that
    run "file-$1-content" "$size" '
        for flags in noatime,nofollow,nonblock nofollow,nonblock; do
            dd if="$1" of=/dev/null count=0 iflag=$flags 2>/dev/null && exec dd if="$1" bs=65536 iflag=$flags status=none
        done
        exec cat -- "$1"' "$2"
}
