/** `examples/php`. */

import { bearsAbsence, bearsTabs, holds, knowsItsIssuer, runs } from './support.mjs';

const example = {
  name: 'php',
  start: 'php -S 127.0.0.1:${PORT:-3000} index.php',
  needs: { 'PHP 8.1 or newer (apt-get install php-cli)': runs('php', '-r', 'exit((int) (PHP_VERSION_ID < 80100 || !extension_loaded("openssl")));') },
};

const held = holds(example);
bearsAbsence(example, held);
bearsTabs(example, held);
knowsItsIssuer(example, held);
