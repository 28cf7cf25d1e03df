# Says what a host is like on standard output: run as "sh -s", with a line mark=… before and calls of part after (host.py).
# Only reads: no file, no temporary file, nothing that would load a kernel module or build a cache.
# What is said stands between "MARK begin NAME" and "MARK end CODE"; first complaints stand before the end, each after "MARK ".

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TZ=UTC0
export PATH LC_ALL TZ
umask 077
exec 3>&1
limit=
timeout 5 true >/dev/null 2>&1 && limit=timeout

part() { # NAME OCTETS SECONDS COMMAND
    printf '\n%s begin %s\n' "$mark" "$1" >&3
    code=$({ {
        { ${limit:+$limit "$3"} sh -c "$4" sh </dev/null 3>&- 4>&- 5>&- 6>&-; printf %s "$?" >&6; } 2>&4 | head -c "$2" >&3
    } 4>&1 | { said=$(head -c 400 | tr '\n' ' '); printf '\n%s complained %s' "$mark" "$said" >&5; cat >/dev/null; } } 5>&3 6>&1)
    printf '\n%s end %s\n' "$mark" "$code" >&3
}
