// Takes the pictures of the documentation: starts `dev` on free ports, sends notifications,
// opens the page in Chromium, and ends what it started.
//
//     node take.mjs BINARY FOLDER
//
// CHROMIUM names another browser than /usr/bin/chromium.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const [binary, folder] = process.argv.slice(2);
const example = new URL('../../examples/notification.json', import.meta.url);

/** Starts `dev` and resolves with the addresses that it prints. */
function start() {
  const dev = spawn(binary, ['dev', '--listen', '127.0.0.1:0', '--sandbox-listen', '127.0.0.1:0']);
  return new Promise((resolve, reject) => {
    let printed = '';
    dev.stdout.on('data', (data) => {
      printed += data;
      const page = printed.match(/Open (http:\S+)/);
      const service = printed.match(/http:\S+\/alertmanager/);
      if (page && service) resolve({ dev, page: page[1], service: service[0] });
    });
    dev.on('error', reject);
    dev.on('exit', (code) => reject(new Error(`dev ended with ${code}`)));
  });
}

async function post(service, body) {
  const answer = await fetch(service, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body,
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

/** The example as if it had happened just now, and as if it were over. */
async function story() {
  const now = Date.now();
  const at = (minutes) => new Date(now - minutes * 60_000).toISOString();
  const firing = JSON.parse(await readFile(example));
  firing.alerts.forEach((alert, index) => { alert.startsAt = at(14 - 3 * index); });
  const resolved = structuredClone(firing);
  resolved.status = 'resolved';
  resolved.alerts.forEach((alert) => { alert.status = 'resolved'; alert.endsAt = at(0); });
  return [firing, resolved].map((notification) => JSON.stringify(notification));
}

const { dev, page: address, service } = await start();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  for (const notification of await story()) await post(service, notification);
  for (const [name, viewport, colorScheme] of [
    ['sandbox', { width: 1100, height: 760 }, 'light'],
    ['sandbox-dark', { width: 1100, height: 760 }, 'dark'],
    ['sandbox-phone', { width: 390, height: 844 }, 'light'],
  ]) {
    const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 2 });
    const page = await context.newPage();
    await page.goto(address);
    await page.getByText('general').first().click();
    await page.getByText('DiskFull').first().waitFor();
    await page.screenshot({ path: `${folder}/${name}.png` });
    await context.close();
  }
} finally {
  await browser.close();
  dev.removeAllListeners('exit');
  dev.kill('SIGTERM');
}
