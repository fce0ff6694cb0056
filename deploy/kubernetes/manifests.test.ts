/**
 * The manifests against the schemas of Kubernetes, their own names, the keys of Tether and its series. No cluster runs them here; the schemas are
 * those of its API, and what they do not know is an error as well.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { findProgram } from '../../storage/find-program.js';
import { CONFIG_KEY_NAMES, CONFIG_KEYS } from '../config-keys.js';
import { parseSettings } from '../settings.js';
import { temporary } from '../test/machine-servers.js';
import { kustomized, type Manifest, readKustomization, readManifests, strayFiles } from './manifests.js';

const HERE = fileURLToPath(new URL('../../../deploy/kubernetes/', import.meta.url));
const BASE = join(HERE, 'base');
const OVERLAY = join(HERE, 'overlays/example');
/** Beyond the drain: the end of threads and connections. */
const END_SECONDS_MAX = 15;
const SECRETS = '/run/secrets/tether/';

const MODELS = [
  ...[ConfigMap, Deployment, HorizontalPodAutoscaler, Ingress, Job, Namespace, NetworkPolicy],
  ...[PodDisruptionBudget, Secret, Service, ServiceAccount],
] as readonly {
  readonly apiVersion: string;
  readonly kind: string;
  readonly prototype: { validate(this: unknown): void };
}[];

const manifests = await kustomized(OVERLAY);
const [example] = await readManifests(join(HERE, 'secret.example.yaml'));
const all = <T>(kind: string) => manifests.filter((each) => each.kind === kind) as unknown as readonly T[];
const one = <T>(kind: string, name: string) => {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found as unknown as T;
};
const pods = manifests.flatMap(({ kind, metadata, spec }) =>
  kind === 'Deployment' || kind === 'Job'
    ? [{ kind, name: metadata.name, template: (spec as { readonly template: IPodTemplateSpec }).template }]
    : [],
);
const component = (labels: Readonly<Record<string, string>> | undefined) =>
  labels?.['app.kubernetes.io/component'];
const containerOf = (template: IPodTemplateSpec): IContainer => {
  const [container, ...others] = template.spec?.containers ?? [];
  if (container === undefined || others.length > 0) throw new Error('a pod has one container');
  return container;
};

/** What is wrong with it by the schema of its kind; fields that the schema never looks at, it does not know. */
function problemsOf(manifest: Manifest): readonly string[] {
  const model = MODELS.find((each) => each.apiVersion === manifest.apiVersion && each.kind === manifest.kind);
  if (model === undefined) return [`${manifest.apiVersion} ${manifest.kind} is of no kind that is known`];
  const seen = new Set<string>(['']);
  const watched = (value: unknown, path: string): unknown =>
    typeof value !== 'object' || value === null
      ? value
      : new Proxy(value, {
          get(target, key) {
            if (typeof key === 'symbol') return Reflect.get(target, key);
            seen.add(`${path}/${key}`);
            return watched(Reflect.get(target, key), `${path}/${key}`);
          },
        });
  try {
    model.prototype.validate.call(watched(manifest, ''));
  } catch (error) {
    return [String(error)];
  }
  const unknown = (value: unknown, path: string): readonly string[] => {
    if (!seen.has(path)) return [`${path} is no field`];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, each]) => unknown(each, `${path}/${key}`));
  };
  return unknown(manifest, '');
}

t.test('every file belongs to it, and every document is one of Kubernetes', async (t) => {
  for (const directory of [BASE, OVERLAY]) t.strictSame(await strayFiles(directory), [], directory);
  const { labels = [] } = await readKustomization(BASE);
  t.ok(
    labels.every(({ includeSelectors }) => includeSelectors !== true),
    'selectors of others, such as the DNS, stay as they are',
  );
  if (example === undefined) throw new Error('there is no example of the Secret');
  for (const manifest of [...manifests, ...(await kustomized(BASE)), example])
    t.strictSame(problemsOf(manifest), [], `${manifest.kind} ${manifest.metadata.name}`);
  const gateway = one<Manifest & { readonly spec: object }>('Deployment', 'tether-gateway');
  t.strictSame(problemsOf({ ...gateway, spec: { ...gateway.spec, replica: 2 } }), [
    '/spec/replica is no field',
  ]);
  t.match(problemsOf({ ...gateway, spec: { ...gateway.spec, minReadySeconds: 'x' } }), [/minReadySeconds/]);
  t.notOk(
    manifests.some(({ kind }) => kind === 'Secret'),
    'secrets are not among them',
  );
});

t.test('each pod is shut in', async (t) => {
  t.strictSame(
    pods.map(({ name }) => name),
    ['tether-gateway', 'tether-worker', 'tether-migrate'],
  );
  for (const { name, template } of pods) {
    const { spec } = template;
    const container = containerOf(template);
    t.match(
      spec,
      {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
      },
      name,
    );
    t.strictSame(
      container.securityContext,
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      name,
    );
    t.ok(
      container.resources?.limits?.memory !== undefined && container.resources.requests?.cpu !== undefined,
    );
    t.strictSame([spec?.hostNetwork, spec?.hostPID, spec?.hostIPC], [undefined, undefined, undefined], name);
    one('ServiceAccount', spec?.serviceAccountName ?? '');
    const volumes = (spec?.volumes ?? []).map((volume) => volume.name);
    t.strictSame(
      (container.volumeMounts ?? []).map((mount) => mount.name).sort(),
      [...volumes].sort(),
      `volumes of ${name}`,
    );
    for (const { configMap, secret } of spec?.volumes ?? []) {
      if (configMap?.name !== undefined) one('ConfigMap', configMap.name);
      if (secret != null) t.match(secret, { secretName: example?.metadata.name, defaultMode: 0o440 });
    }
    t.ok(
      container.volumeMounts?.some(({ mountPath }) => mountPath === '/tmp'),
      `${name} may write /tmp`,
    );
  }
});

t.test('nodes take their configuration, and may drain to the end', async (t) => {
  const keys = Object.keys((example?.stringData ?? {}) as object);
  const values: Readonly<Record<string, string>> = {
    TETHER_API_TOKEN: 'f3a1c09b7d52e846d1b7',
    TETHER_DATABASE_URL: 'postgres://tether:secret@pgbouncer:6432/tether',
    TETHER_REDIS_URL: 'redis://tether:secret@redis:6379',
    TETHER_S3_URL: 'https://tether:secret@s3:9000/tether',
    TETHER_IBAN_KEYS: `first:${Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('base64')}`,
  };
  for (const { kind, name, template } of pods) {
    const container = containerOf(template);
    const env: Record<string, string | undefined> = {};
    for (const { configMapRef } of container.envFrom ?? [])
      Object.assign(env, one<{ readonly data: object }>('ConfigMap', configMapRef?.name ?? '').data);
    for (const { name: key, value = '' } of container.env ?? []) {
      const plain = key.replace(/_FILE$/, '');
      const known = CONFIG_KEY_NAMES.find((each) => each === plain);
      t.equal(known && CONFIG_KEYS[known].secret, plain !== key, `${key} of ${name}`);
      if (plain !== key) t.ok(keys.includes(value.replace(SECRETS, '')), `${value} is of the Secret`);
      env[plain] = plain === key ? value : values[plain];
    }
    const settings = parseSettings(env);
    if (kind === 'Job') continue;
    t.match(settings, {
      role: name.replace('tether-', ''),
      logDriver: 'redis',
      endpointsFile: '/etc/tether/endpoints.yaml',
    });
    t.equal(container.volumeMounts?.find((mount) => mount.name === 'data')?.mountPath, '/var/lib/tether');
    const noticeMs = settings.role === 'gateway' ? settings.drainNoticeMs : 0;
    if (settings.role === 'gateway') t.ok(noticeMs > 0, 'it serves while the cluster learns that it goes');
    t.ok(
      (template.spec?.terminationGracePeriodSeconds ?? 0) >=
        (noticeMs + settings.drainMsMax) / 1_000 + END_SECONDS_MAX,
      `${name} may drain to its end`,
    );
    t.match(
      [container.startupProbe, container.livenessProbe, container.readinessProbe],
      [
        { httpGet: { path: '/livez', port: 'http' } },
        { httpGet: { path: '/livez', port: 'http' } },
        { httpGet: { path: '/readyz', port: 'http' } },
      ],
    );
    t.ok(container.ports?.some((port) => port.name === 'http' && port.containerPort === settings.port));
  }
  for (const { data } of all<{ readonly data: Readonly<Record<string, string>> }>('ConfigMap'))
    for (const [, secret = ''] of (data['endpoints.yaml'] ?? '').matchAll(
      /file:\/run\/secrets\/tether\/([\w-]+)/g,
    ))
      t.ok(keys.includes(secret), `${secret} is of the Secret`);
});

t.test('what selects and names others finds them', async (t) => {
  const labelled = (labels: Readonly<Record<string, string>> | undefined) =>
    pods.filter(({ template }) =>
      Object.entries(labels ?? {}).every(([key, value]) => template.metadata?.labels?.[key] === value),
    );
  for (const { metadata, spec } of all<Deployment>('Deployment')) {
    const found = labelled(spec?.selector.matchLabels);
    t.strictSame(
      found.map(({ name }) => name),
      [metadata?.name],
      'selects its own pods',
    );
    t.match(spec?.strategy, { rollingUpdate: { maxUnavailable: 0 } });
    t.equal(spec?.replicas, undefined, 'the autoscaler says how many');
    for (const { labelSelector } of spec?.template.spec?.topologySpreadConstraints ?? [])
      t.strictSame(labelSelector?.matchLabels, spec?.selector.matchLabels);
    t.ok(
      all<PodDisruptionBudget>('PodDisruptionBudget').some(
        (budget) => component(budget.spec?.selector?.matchLabels) === component(spec?.selector.matchLabels),
      ),
    );
    t.ok(
      all<HorizontalPodAutoscaler>('HorizontalPodAutoscaler').some(
        (scaler) => scaler.spec?.scaleTargetRef.name === metadata?.name,
      ),
    );
  }
  for (const { spec } of all<PodDisruptionBudget>('PodDisruptionBudget'))
    t.equal(labelled(spec?.selector?.matchLabels).length, 1);
  for (const { spec } of all<HorizontalPodAutoscaler>('HorizontalPodAutoscaler'))
    one(spec?.scaleTargetRef.kind ?? '', spec?.scaleTargetRef.name ?? '');
  const portNames = (labels: Readonly<Record<string, string>> | undefined) =>
    labelled(labels).flatMap(({ template }) => (containerOf(template).ports ?? []).map(({ name }) => name));
  for (const { metadata, spec } of all<Service>('Service')) {
    t.not(metadata?.name, 'tether', 'its variables would look like keys');
    t.equal(labelled(spec?.selector).length, 1);
    for (const { targetPort } of spec?.ports ?? [])
      t.ok(portNames(spec?.selector).includes(String(targetPort)));
  }
  for (const { spec } of all<Ingress>('Ingress')) {
    const paths = (spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
    t.strictSame(
      paths.map(({ path }) => path),
      ['/webhooks/', '/uploads', '/health'],
      'and nothing else is seen',
    );
    for (const { backend } of paths) {
      const { spec: service } = one<Service>('Service', backend.service?.name ?? '');
      t.ok(service?.ports?.some(({ name }) => name === backend.service?.port?.name));
    }
  }
  const policies = all<NetworkPolicy>('NetworkPolicy').map(({ spec }) => spec);
  t.ok(
    policies.some(
      (spec) =>
        JSON.stringify(spec) === JSON.stringify({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
    ),
  );
  for (const spec of policies) {
    const named = [
      ...(component(spec?.podSelector?.matchLabels) ?? '').split(' '),
      ...(spec?.podSelector?.matchExpressions ?? []).flatMap(({ values }) => values ?? []),
    ].filter((name) => name !== '');
    for (const name of named)
      t.equal(labelled({ 'app.kubernetes.io/component': name }).length, 1, `a policy of ${name}`);
    for (const { ports } of spec?.ingress ?? [])
      for (const { port } of ports ?? [])
        t.ok(portNames(spec?.podSelector?.matchLabels).includes(String(port)));
  }
});

t.test('workers are scaled by a delay that Prometheus knows', async (t) => {
  const adapter = parse(await readFile(join(HERE, 'prometheus/adapter.yaml'), 'utf8')) as {
    readonly rules: {
      readonly custom: readonly [
        {
          readonly name: { readonly as: string };
          readonly metricsQuery: string;
          readonly seriesQuery: string;
        },
      ];
    };
  };
  const [{ name, metricsQuery, seriesQuery }] = adapter.rules.custom;
  const { spec } = one<HorizontalPodAutoscaler>('HorizontalPodAutoscaler', 'tether-worker');
  t.strictSame(
    spec?.metrics?.map(({ pods: each }) => each?.metric.name),
    [name.as],
  );
  const documented = await readFile('docs/reference/metrics.md', 'utf8');
  const series = [...`${metricsQuery} ${seriesQuery}`.matchAll(/tether_\w+(?=_(?:sum|count)\{)/g)].map(
    ([each]) => each,
  );
  t.equal(series.length, 5);
  for (const each of series) t.match(documented, `| \`${each}\``);

  // As the adapter asks, of messages that waited 2 s on the log and half a second in the thread, and of a pod that had none.
  const directory = await temporary(t);
  const query = metricsQuery
    .replaceAll('<<.GroupBy>>', 'pod')
    .replaceAll('<<.LabelMatchers>>', 'namespace="tether"');
  const of = (metric: string, pod: string, values: string) => ({
    series: `${metric}{namespace="tether",pod="${pod}"}`,
    values,
  });
  await writeFile(
    join(directory, 'test.yml'),
    stringify({
      evaluation_interval: '15s',
      tests: [
        {
          interval: '15s',
          input_series: [
            of('tether_log_wait_seconds_sum', 'a', '0+60x20'),
            of('tether_log_wait_seconds_count', 'a', '0+30x20'),
            of('tether_actor_queue_seconds_sum', 'a', '0+15x20'),
            of('tether_actor_queue_seconds_count', 'a', '0+30x20'),
            ...['tether_log_wait', 'tether_actor_queue'].flatMap((metric) => [
              of(`${metric}_seconds_sum`, 'b', '0x20'),
              of(`${metric}_seconds_count`, 'b', '0x20'),
            ]),
          ],
          promql_expr_test: [
            {
              expr: query,
              eval_time: '4m',
              exp_samples: [
                { labels: '{pod="a"}', value: 2.5 },
                { labels: '{pod="b"}', value: 0 },
              ],
            },
          ],
        },
      ],
    }),
  );
  const promtool = (...args: string[]) => promisify(execFile)(findProgram('promtool') ?? 'promtool', args);
  await promtool('test', 'rules', join(directory, 'test.yml'));

  // Debian's promtool is built without the discovery of Kubernetes: the rest is its to judge.
  const scrape = parse(await readFile(join(HERE, 'prometheus/scrape.yaml'), 'utf8')) as {
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly kubernetes_sd_configs: unknown;
    }[];
  };
  t.ok(
    scrape.scrape_configs.every(({ job_name }) => job_name.startsWith('tether')),
    'the alerts ask for the name',
  );
  const rest = scrape.scrape_configs.map(({ kubernetes_sd_configs: _, ...each }) => ({
    ...each,
    static_configs: [],
  }));
  await writeFile(join(directory, 'prometheus.yml'), stringify({ scrape_configs: rest }));
  await promtool('check', 'config', join(directory, 'prometheus.yml'));
});
