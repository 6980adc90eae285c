#!/bin/sh
# Makes the secrets that compose.yml hands to its containers, each once: what is there stays as it is.
#
#   ./prepare.sh          into ./secrets
#   ./prepare.sh FOLDER
#
# Not made here, because it is not ours to make: secrets/tls_certificate and secrets/tls_key (PEM), and secrets/wechat (the
# AppSecret). Back up secrets/master_key, apart from the database.
set -eu
folder=${1:-$(dirname "$0")/secrets}

# The folder is closed to everybody but its owner. The files inside are readable, since in a container they belong to
# whoever they belonged to here, and none of the users there is root.
umask 022
mkdir -p "$folder"
chmod 700 "$folder"

# make NAME COMMAND…: what the command prints becomes the file, whole or not at all.
make() {
    name=$1
    shift
    [ -e "$folder/$name" ] && return
    "$@" > "$folder/.$name.new"
    mv "$folder/.$name.new" "$folder/$name"
    echo "made $folder/$name"
}
random_hex() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
store_url() { printf 'postgres://mashang:%s@postgres:5432/mashang' "$(cat "$folder/postgres_password")"; }
redis_acl() { printf 'user default off\nuser mashang on >%s ~* &* +@all -@dangerous +info +role\n' "$1"; }
tickets_url() { printf 'redis://mashang:%s@redis:6379/0' "$1"; }

make master_key head -c 32 /dev/urandom
make postgres_password random_hex
make store_url store_url
if [ ! -e "$folder/redis_acl" ] || [ ! -e "$folder/tickets_url" ]; then
    # One password in two files: both, or neither.
    rm -f "$folder/redis_acl" "$folder/tickets_url"
    password=$(random_hex)
    make redis_acl redis_acl "$password"
    make tickets_url tickets_url "$password"
fi

for name in tls_certificate tls_key wechat; do
    [ -e "$folder/$name" ] || echo "missing: $folder/$name"
done
