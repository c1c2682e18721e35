// Starts the program under test on free ports, and ends what it started.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const binary = resolve(process.env.BINARY ?? new URL('../../../target/debug/alertmanager-webex', import.meta.url).pathname);

/** How long a start may take: a machine that also compiles is slow. */
const START_WITHIN_MS = 60_000;

/** Runs `command` in `folder` and waits until what it printed satisfies `ready`, whose result is `found`. */
export async function run(command, ready, environment = {}, folder = '.') {
  const child = spawn(binary, command, { cwd: folder, env: { ...process.env, RUST_LOG: 'warn', ...environment } });
  let printed = '';
  const found = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command[0]} was not ready in time: ${printed}`)), START_WITHIN_MS);
    const read = (data) => {
      printed += data;
      const result = ready(printed);
      if (result) {
        clearTimeout(timer);
        resolve(result);
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${command[0]} ended with ${code}: ${printed}`)));
  });
  child.removeAllListeners('exit');
  const stop = async () => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  return { found, stop, output: () => printed, signal: (name) => child.kill(name) };
}

/** What a test asks of a running sandbox. */
class Sandbox {
  constructor(page, service, stop) {
    /** Where the page is, with a slash at the end. */
    this.page = page;
    /** Where notifications go, in `dev`. */
    this.service = service;
    this.stop = stop;
  }

  /** A call of the control API; its JSON. */
  async control(method, path, body) {
    const answer = await fetch(`${this.page}control/v1/${path}`, {
      method, headers: { 'Content-Type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** The id of the room with this title. */
  async room(title) {
    return (await this.control('GET', 'rooms')).find((room) => room.title === title).id;
  }

  /** A call of the Webex API as the bot `sandbox`; its JSON. */
  async webex(method, path, body) {
    const answer = await fetch(`${this.page}v1/${path}`, {
      method, headers: { 'Content-Type': 'application/json', Authorization: 'Bearer sandbox' }, body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Posts a message. */
  post(body) {
    return this.webex('POST', 'messages', body);
  }

  /** Posts `amount` messages, many at a time. */
  async fill(roomId, amount) {
    const numbers = Array.from({ length: amount }, (_, index) => index + 1);
    while (numbers.length > 0) {
      await Promise.all(numbers.splice(0, 32).map((index) => this.post({ roomId, markdown: `Message **${index}** of many, with \`some code\`` })));
    }
  }

  /** Delivers a notification as Alertmanager would, in `dev`. */
  async notify(notification) {
    const answer = await fetch(this.service, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(notification),
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }
}

/** The service and the sandbox in one process. */
export async function dev(...more) {
  const { found, stop } = await run(['dev', '--listen', '127.0.0.1:0', '--sandbox-listen', '127.0.0.1:0', ...more], (printed) => {
    const page = printed.match(/Open (http:\S+\/)/);
    const service = printed.match(/http:\S+\/alertmanager/);
    return page && service && { page: page[1], service: service[0] };
  });
  return new Sandbox(found.page, found.service, stop);
}

/** Only the sandbox, on a free port unless told otherwise. */
export async function sandbox(listen = '127.0.0.1:0', ...more) {
  const { found, stop } = await run(['sandbox', '--listen', listen, ...more], (printed) => {
    const page = printed.match(/page\s+(http\S+\/)/);
    return page && printed.includes('Stop it') && { page: page[1] };
  });
  return new Sandbox(found.page, null, stop);
}

/** Runs a command of the program to its end; what it printed to stdout. */
export async function command(...words) {
  const child = spawn(binary, words);
  let printed = '';
  let errors = '';
  child.stdout.on('data', (data) => { printed += data; });
  child.stderr.on('data', (data) => { errors += data; });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${errors}`);
  return printed;
}
