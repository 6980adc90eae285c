/** `examples/php`. */

import { holds, runs } from './support.mjs';

holds({
  name: 'php',
  start: 'php -S 127.0.0.1:${PORT:-3000} index.php',
  needs: { 'PHP 8.1 or newer (apt-get install php-cli)': runs('php', '-r', 'exit((int) (PHP_VERSION_ID < 80100 || !extension_loaded("openssl")));') },
});
