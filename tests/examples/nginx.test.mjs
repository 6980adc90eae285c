/** `examples/nginx`: auth_request with the Go example as the gate, and a site behind it that cannot be changed. */

import { guards, holds, runs } from './support.mjs';

const example = {
  name: 'nginx',
  start: 'python3 start.py',
  login: '/',
  needs: {
    'nginx (apt-get install nginx)': runs('nginx', '-v'),
    'Go (https://go.dev/dl)': runs('go', 'version'),
    'python3 (apt-get install python3)': runs('python3', '--version'),
  },
};

guards(example, holds(example));
