// The service as `serve` runs it, with the sandbox for Webex, and what a test asks of it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, sandbox } from './process.mjs';

/** A notification with one alert of a group. */
export function firing(group) {
  const labels = { alertname: group, severity: 'critical' };
  return {
    version: '4', groupKey: `{}:{alertname="${group}"}`, truncatedAlerts: 0, status: 'firing', receiver: 'webex',
    groupLabels: { alertname: group }, commonLabels: labels, commonAnnotations: {}, externalURL: 'https://alertmanager.example.org',
    alerts: [{ status: 'firing', labels, annotations: {}, startsAt: new Date().toISOString(), endsAt: '0001-01-01T00:00:00Z', generatorURL: '', fingerprint: group }],
  };
}

/** A running service; made by `serve`. */
class Service {
  constructor(address, folder, box, parts) {
    /** Its page, with a slash at the end. */
    this.page = `http://${address}/`;
    this.folder = folder;
    this.box = box;
    this.parts = parts;
  }

  /** Sends a notification to a receiver; the answer's status. Fails on nothing but the network. */
  async notify(receiver, notification = firing(`Group${Math.random()}`), headers = {}) {
    const answer = await fetch(`${this.page}alertmanager/${receiver}`, {
      method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(notification),
    });
    return answer.status;
  }

  /** What the API says. */
  async status(query = '', headers = {}) {
    const answer = await fetch(`${this.page}api/v1/status${query}`, { headers });
    return answer.json();
  }

  /** Writes a file beside the configuration, or the configuration itself, `config.toml`. */
  write(name, text) {
    return writeFile(join(this.folder, name), text, { mode: 0o600 });
  }

  /** Asks for the configuration to be read again; the answer's status. */
  async reload() {
    return (await fetch(`${this.page}-/reload`, { method: 'POST' })).status;
  }

  /** Asks the process to end, and does not wait for it. */
  drain() {
    this.parts[0].signal('SIGTERM');
  }

  async stop() {
    for (const part of this.parts) await part.stop();
    await rm(this.folder, { recursive: true });
  }
}

/**
 * Starts it. `rooms` are made in the sandbox. `config({ room, file })` gives the TOML behind
 * `[server]`, `[webex]` and `[bots.default]`, whose lines may be added to with `server`; `room` gives
 * the id of a room, `file` the path of a file of the folder. The process runs in the folder, so a relative path names a
 * file of it as well.
 */
export async function serve({ rooms = [], files = {}, server = '', bot = '', config }) {
  const box = await sandbox('127.0.0.1:0', ...rooms.flatMap((name) => ['--room', name]));
  const folder = await mkdtemp(join(tmpdir(), 'status-'));
  const all = await box.control('GET', 'rooms');
  const room = (title) => all.find((one) => one.title === title).id;
  const file = (name) => join(folder, name);
  for (const [name, text] of Object.entries({ token: 'sandbox', ...files })) await writeFile(file(name), text, { mode: 0o600 });
  const toml = `[server]\nlisten = "127.0.0.1:0"\nshutdown_delay = "3s"\n${server.replaceAll('FOLDER', folder)}\n[webex]\nbase_url = "${box.page}v1"\n`
    + `[delivery]\nanswer_within = "1s"\n[bots.default]\ntoken_file = "${file('token')}"\n${bot}\n${config({ room, file })}`;
  await writeFile(file('config.toml'), toml);
  const ready = (printed) => printed.match(/ready on (127\.0\.0\.1:\d+)/)?.[1];
  const started = run(['serve', '--config', file('config.toml')], ready, { RUST_LOG: 'info' }, folder);
  const process = await started.catch(async (error) => {
    await box.stop();
    throw error;
  });
  const service = new Service(process.found, folder, box, [process, box]);
  service.toml = toml;
  service.log = process.output;
  return service;
}
