/** The sample's sessions, by themselves. */

import { sessionsHold } from '../../../tests/support/sessions.mjs';
import * as sessions from '../server/sessions.mjs';

sessionsHold(sessions, 'site');
