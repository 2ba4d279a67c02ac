# Keeps a PostgreSQL server for the process at the other end of its stdin: carries out one order a line, answers each
# with a line, and when the stream ends, however that process ended, stops the server and removes its folder.
#
# PROGRAMS is the folder of initdb and postgres, FOLDER holds everything of the server; both are absolute.

# The answer to a process that is gone must not end the keeper before it has cleaned up.
trap '' PIPE
cd "${FOLDER:?}" || exit 1
server=

# As pg_ctl tells it: the server writes its status into its lock file. `sleep` gives the shell the occasion to notice
# that the server has ended.
await_ready() {
    while kill -0 "$server" 2>/dev/null; do
        grep -q '^ready' data/postmaster.pid 2>/dev/null && return 0
        sleep 0.02
    done
    server=
    return 1
}

stop() {
    [ -n "$server" ] || return 0
    kill "-$1" "$server" 2>/dev/null
    wait "$server"
    server=
}

while read -r order argument; do
    case $order in
        init)
            "$PROGRAMS/initdb" -D data -U coinop --pwfile=password -A scram-sha-256 \
                -E UTF8 --no-locale --no-sync --no-instructions >>log 2>&1 </dev/null
            ;;
        start)
            # Unquoted: options without spaces.
            "$PROGRAMS/postgres" -D data -k "$FOLDER" $argument >>log 2>&1 </dev/null &
            server=$!
            await_ready
            ;;
        # PostgreSQL's fast and immediate shutdown.
        fast) stop INT ;;
        immediate) stop QUIT ;;
        *) false ;;
    esac && echo done || echo failed
done

stop QUIT
cd / && rm -rf "${FOLDER:?}"
