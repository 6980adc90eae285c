/** `examples/spring-boot`. */

import { holds, runs } from './support.mjs';

holds({
  name: 'spring-boot',
  start: 'mvn -q spring-boot:run',
  login: '/oauth2/authorization/mashang',
  needs: {
    'Maven (apt-get install maven)': runs('mvn', '--version'),
    'Java development kit, 17 or newer (apt-get install default-jdk-headless)': runs('javac', '--version'),
  },
});
