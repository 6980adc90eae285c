/** `examples/express`. */

import { bearsAbsence, holds, runs } from './support.mjs';

const example = { name: 'express', start: 'npm ci && npm start', needs: { 'npm (https://nodejs.org)': runs('npm', '--version') } };

bearsAbsence(example, holds(example));
