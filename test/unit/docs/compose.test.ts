import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { KAFKA_VERSION } from '../../../src/cli/demo-server/kafka-program.ts';
import { REGISTRY_VERSION } from '../../../src/cli/demo-server/registry.ts';
import { readDocument } from './markdown.ts';

const FILE = 'docker-compose.kafka.yml';

/** What of the Compose specification the file uses, and nothing else. */
const duration = z.string().regex(/^\d+(ms|s|m)$/);
const service = z.strictObject({
  image: z.string(),
  hostname: z.string().optional(),
  command: z.array(z.string()).optional(),
  ports: z.array(z.string()),
  environment: z.record(z.string(), z.string()).optional(),
  configs: z.array(z.strictObject({ source: z.string(), target: z.string().startsWith('/') })).optional(),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).optional(),
  healthcheck: z.strictObject({
    test: z.tuple([z.literal('CMD'), z.string()], z.string()),
    interval: duration,
    timeout: duration,
    retries: z.number().int().positive(),
    start_period: duration,
  }),
});
const composeFile = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), service),
  configs: z.record(z.string(), z.strictObject({ content: z.string() })),
  volumes: z.record(z.string(), z.null()),
});

const text = readDocument(FILE);
const compose = composeFile.parse(parse(text));
const services = Object.entries(compose.services);

function serviceNamed(name: string): (typeof services)[number][1] {
  const found = compose.services[name];
  assert.ok(found, `${FILE} has a service ${name}`);
  return found;
}

function publishedPorts(): readonly {
  readonly service: string;
  readonly host: string;
  readonly inside: string;
}[] {
  return services.flatMap(([name, { ports }]) =>
    ports.map(port => {
      const [, host, inside] = /^127\.0\.0\.1:(\d+):(\d+)$/.exec(port) ?? [];
      assert.ok(host !== undefined && inside !== undefined, `${name} publishes ${port} to others`);
      return { service: name, host, inside };
    }),
  );
}

test('the compose file has all that a line on Kafka needs', () => {
  const names = services.map(([name]) => name).sort();
  assert.deepEqual(names, ['grafana', 'influxdb', 'kafka', 'mysql', 'registry', 'zookeeper']);
});

test('every image is pinned to a whole version', () => {
  for (const [name, { image }] of services) assert.match(image, /^[\w./-]+:\d+\.\d+\.\d+$/, name);
});

test('broker and registry have the versions that the tests run', () => {
  assert.equal(serviceNamed('kafka').image, `apache/kafka:${KAFKA_VERSION}`);
  assert.equal(serviceNamed('registry').image, `apicurio/apicurio-registry:${REGISTRY_VERSION}`);
});

test('no two services publish one port', () => {
  const ports = publishedPorts().map(({ host }) => host);
  assert.equal(new Set(ports).size, ports.length, ports.join(' '));
});

test('services wait for services that are there, and none waits for itself', () => {
  let waits = 0;
  for (const [name, { depends_on: needed = {} }] of services) {
    for (const other of Object.keys(needed)) {
      serviceNamed(other);
      assert.notEqual(other, name);
      waits += 1;
    }
  }
  assert.ok(waits > 0);
});

test('volumes and configs are the ones that services use', () => {
  const mounts = services.flatMap(([, used]) => used.volumes.map(volume => volume.split(':')[0] ?? ''));
  const ofProject = mounts.filter(mount => mount.startsWith('./'));
  for (const path of ofProject)
    assert.ok(existsSync(new URL(path, new URL('../../../', import.meta.url))), path);
  const volumes = mounts.filter(mount => !ofProject.includes(mount));
  assert.deepEqual([...volumes].sort(), Object.keys(compose.volumes).sort());
  const configs = services.flatMap(([, used]) => (used.configs ?? []).map(({ source }) => source));
  assert.deepEqual([...configs].sort(), Object.keys(compose.configs).sort());
});

test('every address of another service in an environment or config leads to it', () => {
  const insides = new Map([
    ['kafka', ['9093', '19092']],
    ['influxdb', ['8086']],
  ]);
  const texts = [
    ...services.flatMap(([, { environment = {} }]) => Object.values(environment)),
    ...Object.values(compose.configs).map(({ content }) => content),
  ];
  let seen = 0;
  for (const value of texts) {
    for (const [, host = '', port = ''] of value.matchAll(/(?:\/\/|@|^)([a-z]+):(\d+)/g)) {
      if (host === 'localhost')
        assert.ok(
          publishedPorts().some(({ host: published }) => published === port),
          value,
        );
      else assert.ok(insides.get(host)?.includes(port), `${host}:${port} in ${value}`);
      seen += 1;
    }
  }
  assert.ok(seen >= 5, `saw ${seen} addresses`);
});

test('the broker listens where it tells its clients to come', () => {
  const { KAFKA_LISTENERS = '', KAFKA_ADVERTISED_LISTENERS = '' } = serviceNamed('kafka').environment ?? {};
  const portsOf = (listeners: string) =>
    new Map(listeners.split(',').map(listener => [listener.split('://')[0], listener.split(':').at(-1)]));
  const listening = portsOf(KAFKA_LISTENERS);
  const advertised = portsOf(KAFKA_ADVERTISED_LISTENERS);
  assert.ok(advertised.size > 1);
  for (const [name, port] of advertised) assert.equal(listening.get(name), port, name);
});

test('MySQL writes what a line wants to read', () => {
  const { command = [] } = serviceNamed('mysql');
  for (const setting of [
    '--log-bin=binlog',
    '--binlog-format=ROW',
    '--binlog-row-image=FULL',
    '--binlog-row-metadata=FULL',
    '--gtid-mode=ON',
    '--enforce-gtid-consistency=ON',
  ]) {
    assert.ok(command.includes(setting), setting);
  }
  assert.match(
    compose.configs['mysql-accounts']?.content ?? '',
    /GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON \*\.\* TO umbus@'%'/,
  );
});

test('Grafana finds the dashboards, and they ask the data source that it has', () => {
  const { content = '' } = compose.configs['grafana-dashboards'] ?? {};
  const path = /^ +path: (\S+)$/m.exec(content)?.[1];
  const mount = serviceNamed('grafana').volumes.find(volume => volume.startsWith('./topologies/dashboards:'));
  assert.equal(mount?.split(':')[1], path);
  const sources = compose.configs['grafana-influxdb']?.content ?? '';
  const uid = /^ +uid: (\S+)$/m.exec(sources)?.[1];
  const [database] = [/^ +dbName: (\S+)$/m.exec(sources)?.[1]];
  assert.equal(database, serviceNamed('influxdb').environment?.['INFLUXDB_DB']);
  const asked = new Set(
    [...readDocument('topologies/dashboards/umbus-overview.json').matchAll(/"uid": "(umbus)"/g)].map(
      match => match[1],
    ),
  );
  assert.deepEqual([...asked], [uid]);
});

test('README names services and ports of the compose file that are there', () => {
  const sections = readDocument('README.md').split(/^(?=#+ )/m);
  const published = new Set(publishedPorts().map(({ host }) => host));
  for (const section of sections.filter(part => part.includes(FILE))) {
    for (const [, port = ''] of section.matchAll(/\b(?:localhost|127\.0\.0\.1):(\d+)/g)) {
      assert.ok(published.has(port), `README names port ${port}`);
    }
    for (const [, name = ''] of section.matchAll(
      new RegExp(
        `${FILE.replaceAll('.', '\\.')} (?:exec|logs|stop|start|restart|kill) (?:-\\S+ )*([a-z]+)`,
        'g',
      ),
    )) {
      serviceNamed(name);
    }
  }
});
