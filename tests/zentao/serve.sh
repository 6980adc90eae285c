#!/usr/bin/env bash
# Serves a ZenTao that you have, for the tests of this folder: a copy of the tree, a MariaDB of its own, `php -S`.
#
#   tests/zentao/serve.sh <tree> [<work folder>] [<request type: PATH_INFO or GET>]
#
# It prints the variables that `zentao.test.mjs` reads, and serves until it is interrupted. The tree is only read.
# Needed: php-cli with mysql, mbstring, xml, gd, zip, curl; mariadb-server.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$1" && pwd)
work=${2:-$(mktemp -d)}
request_type=${3:-PATH_INFO}
admin=admin
password=Mashang-2-tests

mkdir -p "$work"
work=$(cd "$work" && pwd)
free_port() { php -r '$s = stream_socket_server("tcp://127.0.0.1:0"); echo substr(strrchr(stream_socket_get_name($s, false), ":"), 1);'; }

children=()
finish() {
  trap - EXIT INT TERM
  # Groups, because `php -S` leaves its workers behind.
  for child in "${children[@]}"; do kill -- "-$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT TERM

db_port=$(free_port)
fresh=no
if [ ! -d "$work/data" ]; then
  fresh=yes
  cp -r "$tree" "$work/zentao"
  mariadb-install-db --no-defaults --datadir="$work/data" --auth-root-authentication-method=normal --skip-test-db >"$work/mariadb.log" 2>&1
fi
setsid mariadbd --no-defaults --user="$(id -un)" --datadir="$work/data" --socket="$work/socket" --pid-file="$work/pid" \
  --bind-address=127.0.0.1 --port="$db_port" --sql-mode='' --innodb-flush-log-at-trx-commit=2 >>"$work/mariadb.log" 2>&1 &
children+=($!)
until mariadb --no-defaults --socket="$work/socket" -uroot -e 'select 1' >/dev/null 2>&1; do
  kill -0 "${children[0]}" || { tail "$work/mariadb.log" >&2; exit 1; }
  read -rt 0.2 <> <(:) || true
done

if [ $fresh = yes ]; then
  mariadb --no-defaults --socket="$work/socket" -uroot -e "create user 'zentao'@'127.0.0.1' identified by 'zentao'; grant all on *.* to 'zentao'@'127.0.0.1'; set global log_bin_trust_function_creators = 1"
  php "$here/prepare.php" "$work/zentao" "$db_port" zentao "$admin" "$password" >&2
  mkdir -p "$work/zentao/tmp/session" "$work/zentao/www/data"
  chmod -R 0777 "$work/zentao/tmp" "$work/zentao/www/data" "$work/zentao/config" "$work/zentao/extension" "$work/zentao/module"
  rm -f "$work/zentao/www/install.php" "$work/zentao/www/upgrade.php"
fi

cat >"$work/zentao/config/my.php" <<PHP
<?php
\$config->installed       = true;
\$config->debug           = false;
\$config->requestType     = '$request_type';
\$config->timezone        = 'Asia/Shanghai';
\$config->db->driver      = 'mysql';
\$config->db->host        = '127.0.0.1';
\$config->db->port        = '$db_port';
\$config->db->name        = 'zentao';
\$config->db->user        = 'zentao';
\$config->db->password    = 'zentao';
\$config->db->prefix      = 'zt_';
\$config->db->encoding    = 'utf8mb4';
\$config->db->collation   = 'utf8mb4_general_ci';
\$config->webRoot         = getWebRoot();
\$config->default->lang   = 'zh-cn';
\$config->checkVersion    = false;
\$config->customSession   = true;
PHP

# The port stays the same in one work folder, because the zip names the address.
[ -f "$work/port" ] || free_port >"$work/port"
web_port=$(cat "$work/port")
ZENTAO_WWW="$work/zentao/www" PHP_CLI_SERVER_WORKERS=6 setsid php -d session.save_path="$work/zentao/tmp/session" -d opcache.revalidate_freq=0 -d display_errors=0 -d log_errors=1 -d error_log="$work/php-errors.log" \
  -S "127.0.0.1:$web_port" -t "$work/zentao/www" "$here/front.php" >"$work/web.log" 2>&1 &
children+=($!)

cat <<VARIABLES
export ZENTAO_URL=http://127.0.0.1:$web_port
export ZENTAO_TREE=$work/zentao
export ZENTAO_ADMIN=$admin
export ZENTAO_PASSWORD=$password
export ZENTAO_SQL="mariadb --no-defaults --socket=$work/socket -uroot --skip-column-names zentao"
VARIABLES
echo "serving until interrupted" >&2
wait -n
