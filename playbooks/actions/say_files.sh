# Says files of a host on standard output: run as "sh -s", with a line mark=… before and a call of say_all after (host_files.py).
# Only reads: writes no file, follows no link, leaves the time of access where dd can do that.
# A file stands between "MARK file SIZE", a line with its path and "MARK end"; one that is not read is "MARK not WORD" and its path.
# The mark stands in no argument and no environment, so that a list of processes cannot hold it.

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
limit='' long=''
timeout 5 true >/dev/null 2>&1 && limit="timeout 20" long="timeout 60"
odd=$(printf '\001')

not_read() { # WORD PATH
    printf '\n%s not %s\n%s\n%s end\n' "$mark" "$1" "$2" "$mark"
}

list() { # PATH: what is to be read, a path each line; a line end within a name is the letter 1, which say refuses
    if [ -d "$1" ] && [ ! -L "$1" ]; then
        {
            $long find "$1" -xdev \( -type f -o -type l \) -print0 2>/dev/null </dev/null
            code=$?
            [ "$code" = 0 ] || printf 'code %s %s\000' "$code" "$1"
        } | tr '\n\000' '\001\n'
    else
        printf '%s\n' "$1"
    fi
}

say() { # PATH
    case $1 in *"$odd"*) not_read odd_name "$1"; return ;; esac
    [ -L "$1" ] && { not_read symlink "$1"; return; }
    [ -e "$1" ] || { not_read missing "$1"; return; }
    [ -f "$1" ] || { not_read special "$1"; return; }
    case $($limit stat -f -c %T -- "$1" 2>/dev/null </dev/null) in
        proc | sysfs | debugfs | tracefs | securityfs | cgroup* | bpf_fs | configfs | pstorefs | devpts) not_read special "$1"; return ;;
    esac
    [ -r "$1" ] || { not_read unreadable "$1"; return; }
    size=$(stat -c %s -- "$1" 2>/dev/null </dev/null) || { not_read unreadable "$1"; return; }
    [ "$size" -le "$most" ] || { not_read too_large "$1"; return; }
    [ "$size" -le "$left" ] || { not_read no_room "$1"; return; }
    left=$((left - size))
    printf '\n%s file %s\n%s\n' "$mark" "$size" "$1"
    read_file "$1" 2>/dev/null </dev/null | head -c "$size"
    printf '\n%s end\n' "$mark"
}

read_file() { # PATH
    for flags in noatime,nofollow,nonblock nofollow,nonblock; do
        if dd if="$1" of=/dev/null count=0 iflag=$flags; then
            $limit dd if="$1" bs=65536 iflag=$flags status=none
            return
        fi
    done
    $limit cat -- "$1"
}

say_all() { # PATH…
    for one in "$@"; do list "$one"; done | {
        number=0
        while IFS= read -r line; do
            case $line in
                "code 124 "*) not_read too_long "${line#code 124 }"; continue ;;
                "code "*) line=${line#code }; not_read in_part "${line#* }"; continue ;;
            esac
            number=$((number + 1))
            [ "$number" -le "$files" ] || { not_read too_many "$line"; break; }
            say "$line"
        done
        printf '\n%s done\n' "$mark"
    }
}
