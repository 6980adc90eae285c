/** `examples/express`. */

import { bearsAbsence, bearsTabs, holds, knowsItsIssuer, runs } from './support.mjs';

const example = { name: 'express', start: 'npm ci && npm start', needs: { 'npm (https://nodejs.org)': runs('npm', '--version') } };

const held = holds(example);
bearsAbsence(example, held);
bearsTabs(example, held);
knowsItsIssuer(example, held);
