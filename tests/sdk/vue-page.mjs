/** A page of a Vue application: the component behind a tab, and a face of its own by `useScanLogin`. */

import { createApp, defineComponent, h, KeepAlive, ref } from 'vue';
import { ScanLogin, useScanLogin } from 'mashang/vue';

const query = new URLSearchParams(location.search);
const options = { issuer: query.get('issuer'), clientId: query.get('client'), nonce: 'the-nonce' };
window.events = [];
const note = (name) => (value) => window.events.push([name, value && { ...value, reason: value.reason }]);

const Own = defineComponent({
  setup() {
    const login = useScanLogin({ ...options, success: note('success'), fail: note('fail') });
    window.own = login;
    return () => h('section', { id: 'own', 'data-status': login.status.value, 'data-url': login.qrUrl.value }, [
      h('b', { id: 'number' }, login.number.value),
      h('i', { id: 'left' }, String(login.secondsLeft.value)),
      h('button', { id: 'refresh', onClick: login.refresh }, 'refresh'),
      h('button', { id: 'cancel', onClick: login.cancel }, 'cancel'),
    ]);
  },
});

createApp(defineComponent({
  setup() {
    const tab = ref(query.get('tab') || 'scan');
    const to = (name) => h('button', { id: `to-${name}`, onClick: () => { tab.value = name; } }, name);
    return () => h('div', [
      ['scan', 'own', 'password'].map(to),
      tab.value === 'scan' && h(ScanLogin, {
        ...options, theme: 'dark',
        onSuccess: note('success'), onScanned: note('scanned'), onExpired: note('expired'), onDenied: note('denied'), onFail: note('fail'),
      }, { scanned: () => h('em', 'slot of Vue') }),
      query.has('keep') ? h(KeepAlive, () => tab.value === 'own' && h(Own)) : tab.value === 'own' && h(Own),
      tab.value === 'password' && h('form', [h('input', { type: 'password', 'aria-label': 'password' })]),
    ]);
  },
})).mount('#app');
document.documentElement.dataset.ready = '';
