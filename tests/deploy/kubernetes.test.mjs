/** `deploy/kubernetes`: rendered, and held against Kubernetes' own schemas and its restricted standard. */

import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { temporaryFolder } from '../support/processes.mjs';
import { checksConfiguration, lacking, linter, path, read, runs } from './support.mjs';

/** The oldest that the manifests are for, and the newest that the schemas know. */
const VERSIONS = [/Needs Kubernetes (\d+\.\d+) or newer/.exec(read('kubernetes/kustomization.yaml'))[1], '1.37'];

const skip = lacking(linter('kubectl'), linter('python'), linter('kubernetes-validate'));
let folder;
let rendered;
let all;
before(async () => {
  folder = await temporaryFolder();
  if (skip) return;
  rendered = join(folder, 'rendered.yaml');
  await writeFile(rendered, (await runs(linter('kubectl'), ['kustomize', path('kubernetes')])).stdout);
  const program = 'import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)';
  all = JSON.parse((await runs(linter('python'), ['-c', program, rendered])).stdout);
});
after(() => rm(folder, { recursive: true, force: true }));

/** The only one of a kind, or of that name. */
const the = (kind, name) => {
  const found = all.filter((one) => one.kind === kind && (!name || one.metadata.name === name));
  assert.equal(found.length, 1, kind);
  return found[0];
};
const pod = () => the('Deployment').spec.template;

for (const version of VERSIONS) {
  test(`kubernetes: every field is one that Kubernetes ${version} knows`, { skip }, async () => {
    await runs(linter('kubernetes-validate'), ['--strict', '--quiet', '-k', version, rendered]);
  });
}

test('kubernetes: whatever chooses pods chooses the nodes', { skip }, () => {
  const { labels } = pod().metadata;
  const chosenBy = [
    the('Deployment').spec.selector.matchLabels, the('Service', 'mashang').spec.selector, the('PodDisruptionBudget').spec.selector.matchLabels,
    the('NetworkPolicy').spec.podSelector.matchLabels, ...pod().spec.topologySpreadConstraints.map((one) => one.labelSelector.matchLabels),
  ];
  for (const selector of chosenBy) {
    assert.ok(Object.keys(selector ?? {}).length > 0, 'an empty selector chooses everything');
    for (const [name, value] of Object.entries(selector)) assert.equal(labels[name], value);
  }
});

test('kubernetes: a roll-over never has fewer nodes than before, and a stop has time to drain', { skip }, () => {
  const { replicas, strategy } = the('Deployment').spec;
  assert.deepEqual([replicas, strategy.rollingUpdate.maxUnavailable, the('PodDisruptionBudget').spec.maxUnavailable], [2, 0, 1]);
  const [container] = pod().spec.containers;
  assert.ok(pod().spec.terminationGracePeriodSeconds > container.lifecycle.preStop.sleep.seconds + 30);
});

test('kubernetes: a database that is away takes a node out of turn, and restarts none; a ticket store that is away does neither', { skip }, () => {
  const [{ readinessProbe, livenessProbe, startupProbe, ports }] = pod().spec.containers;
  assert.deepEqual([readinessProbe, livenessProbe, startupProbe].map((probe) => probe.httpGet.path), ['/readyz?records', '/healthz', '/healthz']);
  const [, listen] = /^listen = "0\.0\.0\.0:(\d+)"$/m.exec(read('kubernetes/mashang.toml'));
  assert.equal(ports.find((port) => port.name === readinessProbe.httpGet.port).containerPort, Number(listen));
});

test('kubernetes: metrics are scraped where they listen, from one namespace, and no Service leads to them', { skip }, () => {
  const [, listen] = /^\[operations\]\nlisten = "0\.0\.0\.0:(\d+)"$/m.exec(read('kubernetes/mashang.toml'));
  const port = pod().spec.containers[0].ports.find((one) => one.containerPort === Number(listen));
  assert.equal(pod().metadata.annotations['prometheus.io/port'], listen);
  assert.ok(the('Service', 'mashang').spec.ports.every(({ targetPort }) => targetPort !== port.name && targetPort !== port.containerPort));
  const admitted = the('NetworkPolicy').spec.ingress.filter(({ ports }) => ports.some((one) => one.port === port.name));
  assert.equal(admitted.length, 1);
  assert.deepEqual(Object.keys(admitted[0].from[0]), ['namespaceSelector']);
  assert.ok(the('NetworkPolicy').spec.ingress.every(({ ports, from }) => ports?.length && from?.length), 'every rule names ports and who');
});

test('kubernetes: the pods keep the restricted standard that the namespace enforces', { skip }, () => {
  assert.equal(the('Namespace').metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted');
  const { spec } = pod();
  assert.equal(spec.securityContext.runAsNonRoot, true);
  assert.notEqual(spec.securityContext.runAsUser, 0);
  assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
  assert.ok(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC);
  for (const { securityContext } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    assert.deepEqual(securityContext, {
      allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] },
    });
  }
  for (const volume of spec.volumes) assert.ok(volume.configMap || volume.secret, `${volume.name} is of an allowed kind`);
  assert.equal(spec.automountServiceAccountToken, false);
});

test('kubernetes: a changed setting has another name, so that it rolls the nodes over', { skip }, () => {
  const { name } = the('ConfigMap').metadata;
  assert.match(name, /^mashang-[a-z0-9]{10}$/);
  assert.equal(pod().spec.volumes.find((volume) => volume.configMap).configMap.name, name);
});

test('kubernetes: the Ingress leads to the Service, and no POST is ever sent twice', { skip }, () => {
  const { metadata, spec } = the('Ingress');
  const at = (path) => spec.rules[0].http.paths.find((one) => one.path === path);
  const { service } = at('/').backend;
  assert.ok(the('Service', service.name).spec.ports.some((port) => port.name === service.port.name));
  assert.equal(service.name, 'mashang');
  for (const [name, value] of Object.entries(metadata.annotations)) {
    if (name.endsWith('/proxy-next-upstream')) assert.equal(value, 'error timeout');
  }
});

test('kubernetes: promise 10, the controller keeps no list of codes', { skip }, () => {
  assert.equal(the('Ingress').metadata.annotations['nginx.ingress.kubernetes.io/enable-access-log'], 'false');
});

test('kubernetes: strangers who ask /readyz reach nobody', { skip }, () => {
  const { pathType, backend } = the('Ingress').spec.rules[0].http.paths.find((one) => one.path === '/readyz');
  assert.equal(pathType, 'Exact');
  assert.equal(the('Service', backend.service.name).spec.selector, undefined, 'a Service that chooses nothing has nobody behind it');
});

test('kubernetes: the Job that the manual has for MySQL is like a node: fields, restrictions, secrets, where its files are', { skip }, async () => {
  for (const manual of ['../docs/deploy.md', '../docs/deploy.zh-CN.md']) {
    const [, job] = /^kubectl -n mashang create -f - <<EOF\n([^]*?)^EOF$/m.exec(read(manual));
    const file = join(folder, 'job.yaml');
    await writeFile(file, job.replace('$config', the('ConfigMap').metadata.name));
    for (const version of VERSIONS) await runs(linter('kubernetes-validate'), ['--strict', '--quiet', '-k', version, file]);
    const program = 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)';
    const { spec } = JSON.parse((await runs(linter('python'), ['-c', program, file])).stdout);
    assert.equal(spec.backoffLimit, 0, 'what was interrupted is not tried again');
    const { securityContext: { fsGroupChangePolicy, ...ofPod }, ...node } = pod().spec;
    const once = spec.template.spec;
    assert.deepEqual([once.securityContext, once.volumes, once.enableServiceLinks], [ofPod, node.volumes, node.enableServiceLinks]);
    const [[serves], [migrates]] = [node.containers, once.containers];
    assert.deepEqual([migrates.securityContext, migrates.volumeMounts], [serves.securityContext, serves.volumeMounts]);
    assert.deepEqual(migrates.args, ['migrate', ...serves.args.slice(1)]);
    assert.equal(migrates.image.split(':')[0], serves.image.split(':')[0]);
  }
});

test('kubernetes: the configuration is valid', async () => {
  await checksConfiguration(read('kubernetes/mashang.toml'), {
    secrets: '/run/secrets/mashang/', names: ['store_url', 'master_key', 'tickets_url', 'wechat'],
  });
});
