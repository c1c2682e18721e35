// Takes the pictures of the sandbox's page for the documentation: starts `dev` on free ports,
// sends notifications, opens the page in Chromium, and ends what it started.
//
//     node take.mjs FOLDER
//
// CHROMIUM names another browser than /usr/bin/chromium, BINARY another program than the debug
// build.

import { readFile } from 'node:fs/promises';
import { launch } from '../../tests/browser/harness/browser.mjs';
import { command, dev } from '../../tests/browser/harness/process.mjs';

const [folder] = process.argv.slice(2);
const example = new URL('../../examples/notification.json', import.meta.url);

/** The example as if it had happened just now, and as if it were over. */
async function story() {
  const now = Date.now();
  const at = (minutes) => new Date(now - minutes * 60_000).toISOString();
  const firing = JSON.parse(await readFile(example));
  firing.alerts.forEach((alert, index) => { alert.startsAt = at(14 - 3 * index); });
  const resolved = structuredClone(firing);
  resolved.status = 'resolved';
  resolved.alerts.forEach((alert) => { alert.status = 'resolved'; alert.endsAt = at(0); });
  return [firing, resolved];
}

const DESKTOP = { width: 1200, height: 780 };
const PHONE = { width: 390, height: 844 };

/** What is taken: where in the page, and what must be there before. */
const PICTURES = [
  { name: 'sandbox', viewport: DESKTOP, view: 'spaces' },
  { name: 'sandbox-dark', viewport: DESKTOP, colorScheme: 'dark', view: 'details' },
  { name: 'sandbox-phone', viewport: PHONE, view: 'spaces' },
  { name: 'playground', viewport: DESKTOP, view: 'playground' },
  { name: 'sandbox-chaos', viewport: { width: 1200, height: 900 }, view: 'chaos' },
];

const box = await dev();
const browser = await launch();
try {
  const [general, ops] = [await box.room('general'), await box.room('ops')];
  for (const notification of await story()) await box.notify(notification);
  // What another bot might post: a thread that was edited, and a card.
  const root = await box.post({ roomId: ops, markdown: '**Deployment** of `shop` to `prod-eu1` begins' });
  await box.post({ roomId: ops, parentId: root.id, markdown: '3 of 6 pods are new. <@all>, have a look at the [dashboard](https://grafana.example.org).' });
  await box.post({ roomId: ops, parentId: root.id, markdown: '6 of 6 pods are new' });
  await box.webex('PUT', `messages/${root.id}`, { roomId: ops, markdown: '**Deployment** of `shop` to `prod-eu1` is done' });
  const content = JSON.parse(await command('render', '--sample', 'three_firing', '--template', 'compact', '--format', 'card'));
  const card = await box.post({ roomId: ops, markdown: 'three pods', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] });

  const views = {
    spaces: { hash: ['spaces', general], ready: (page) => page.locator('.message', { hasText: 'DiskFull' }).first().waitFor() },
    details: { hash: ['spaces', ops, card.id, 'request'], ready: (page) => page.getByRole('tab', { name: 'Request', selected: true }).waitFor() },
    playground: { hash: ['playground'], ready: (page) => page.getByText('KubePodCrashLooping').first().waitFor() },
    chaos: {
      hash: ['chaos'],
      ready: async (page) => {
        await box.control('POST', 'faults', { effect: { too_many_requests: { retry_after: 30 } }, times: 5 });
        await box.control('POST', 'faults', { effect: { latency: { ms: 800 } }, room: 'ops', for_ms: 600_000 });
        await page.locator('.active li').nth(1).waitFor();
        await page.locator('.choice').first().click();
      },
    },
  };
  for (const { name, viewport, colorScheme = 'light', view } of PICTURES) {
    const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 2, reducedMotion: 'reduce' });
    const page = await context.newPage();
    await page.goto(`${box.page}#/${views[view].hash.map(encodeURIComponent).join('/')}`);
    await views[view].ready(page);
    await page.locator('.link.live').waitFor();
    await page.screenshot({ path: `${folder}/${name}.png` });
    await context.close();
  }
} finally {
  await browser.close();
  await box.stop();
}
