/** `examples/express`. */

import { holds, runs } from './support.mjs';

holds({ name: 'express', start: 'npm ci && npm start', needs: { 'npm (https://nodejs.org)': runs('npm', '--version') } });
