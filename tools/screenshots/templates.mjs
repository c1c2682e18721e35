// Takes a picture of each built-in template: starts the sandbox with a room for each, delivers
// samples to it, and takes the messages as a phone and a desktop show them.
//
//     node templates.mjs BINARY FOLDER
//
// CHROMIUM names another browser than /usr/bin/chromium.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { launch } from '../../tests/browser/harness/browser.mjs';

const run = promisify(execFile);
const [binary, folder] = process.argv.slice(2);

/** What is delivered, by the room's name, which is the receiver's as well. */
const ROOMS = {
  default: { template: 'default', samples: ['mixed'] },
  compact: { template: 'plain', samples: ['different_alerts'] },
  card: { template: 'compact', samples: ['three_firing'] },
  detailed: { template: 'detailed', samples: ['one_firing'] },
  fallback: { template: 'fallback', samples: ['mixed'] },
  hostile: { template: 'default', samples: ['hostile'] },
  digest: { template: 'default', samples: [] },
};

/** Starts a command and resolves with what `ready` finds in what it prints. */
function start(command, ready) {
  const child = spawn(binary, command, { env: { ...process.env, RUST_LOG: 'info' } });
  const printed = new Promise((resolve, reject) => {
    let text = '';
    const read = (data) => {
      text += data;
      const found = ready(text);
      if (found) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code) => reject(new Error(`${command[0]} ended with ${code}: ${text}`)));
  });
  return printed.then((found) => ({ child, found }));
}

function stop({ child }) {
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
}

const folderOfTemplates = await mkdtemp(join(tmpdir(), 'templates-'));
const config = join(folderOfTemplates, 'config.toml');
// `compact` without its card: a template that includes it.
await writeFile(join(folderOfTemplates, 'plain.md'), '{% include "compact.md" %}');

const rooms = Object.keys(ROOMS).flatMap((name) => ['--room', name]);
const sandbox = await start(['sandbox', '--listen', '127.0.0.1:0', ...rooms], (text) => {
  const page = text.match(/page\s+(http\S+)/);
  const ids = [...text.matchAll(/room\s+(\S+)\s+(\S+)/g)];
  return page && text.includes('Stop it') && { page: page[1], ids: new Map(ids.map(([, name, id]) => [name, id])) };
});
const { page: address, ids } = sandbox.found;
const receivers = Object.entries(ROOMS).map(([name, { template }]) =>
  `[receivers.${name}]\nrooms = ["${ids.get(name)}"]\ntemplate = "${template}"\n`);
await writeFile(config, `
[server]
listen = "127.0.0.1:0"
[delivery]
digest_after = "1s"
[webex]
base_url = "${address}v1"
[bots.default]
token_env = "SANDBOX_TOKEN"
messages_per_minute = 30
burst = 1
[templates]
directory = "${folderOfTemplates}"
${receivers.join('')}`);
process.env.SANDBOX_TOKEN = 'sandbox';

const names = ['KubePodCrashLooping', 'TargetDown', 'NodeFilesystemAlmostOutOfSpace', 'KubeJobFailed',
  'PrometheusRuleFailures', 'CPUThrottlingHigh', 'KubeDeploymentReplicasMismatch', 'EtcdHighCommitDurations'];
const severities = ['critical', 'warning', 'warning', 'info', 'critical', 'info', 'warning', 'critical'];

/** One of many groups that fire at once. */
function group(index) {
  const labels = {
    alertname: names[index % names.length], severity: severities[index % names.length],
    namespace: `team-${index % 5}`, cluster: 'prod-eu1',
  };
  const resolved = index % 9 === 8;
  const alert = {
    status: resolved ? 'resolved' : 'firing', labels: { ...labels, instance: `node-${index}` },
    annotations: { summary: `${labels.alertname} in ${labels.namespace} needs a look.` },
    startsAt: new Date(Date.now() - 60_000 * (index + 1)).toISOString(),
    endsAt: resolved ? new Date().toISOString() : '0001-01-01T00:00:00Z',
    generatorURL: 'https://prometheus.example.org/graph', fingerprint: String(index).padStart(16, '0'),
  };
  return {
    version: '4', groupKey: `{}:{index="${index}"}`, truncatedAlerts: 0, status: alert.status, receiver: 'webex',
    groupLabels: { alertname: labels.alertname, namespace: labels.namespace }, commonLabels: alert.labels,
    commonAnnotations: alert.annotations, externalURL: 'https://alertmanager.example.org', alerts: [alert],
  };
}

const browser = await launch();
const service = await start(['serve', '--config', config], (text) => text.match(/ready on (127\.0\.0\.1:\d+)/)?.[1]);
try {
  for (const [name, { samples }] of Object.entries(ROOMS)) {
    for (const sample of samples) {
      await run(binary, ['send', '--config', config, '--receiver', name, '--sample', sample]);
    }
  }
  const url = `http://${service.found}/alertmanager/digest`;
  const storm = Array.from({ length: 16 }, (_, index) => fetch(url, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(group(index)),
  }));
  await Promise.all(storm);
  for (const [suffix, viewport, colorScheme, only] of [
    ['', { width: 860, height: 1600 }, 'light'],
    ['-phone', { width: 390, height: 2400 }, 'light', ['default', 'card', 'digest']],
    ['-dark', { width: 860, height: 1600 }, 'dark', ['card']],
  ]) {
    const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 2 });
    const page = await context.newPage();
    for (const name of Object.keys(ROOMS)) {
      if (only && !only.includes(name)) continue;
      await page.goto(`${address}#/spaces/${encodeURIComponent(ids.get(name))}`);
      await page.reload();
      const last = page.locator('.message').last();
      await last.waitFor();
      await last.screenshot({ path: `${folder}/template-${name}${suffix}.png` });
    }
    await context.close();
  }
} finally {
  await browser.close();
  stop(service);
  stop(sandbox);
  await rm(folderOfTemplates, { recursive: true });
}
