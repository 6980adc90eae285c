/** `deploy/nginx`: the site for one machine or several nodes, in front of nodes. */

import { nginx } from './fronts.mjs';
import { standsInFront } from './proxy.mjs';

standsInFront('nginx', nginx);
