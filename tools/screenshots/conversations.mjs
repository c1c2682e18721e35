// Takes the pictures of docs/conversations.md: starts `dev` for each conversation, plays the
// sample `life`, opens the room in Chromium, and ends what it started.
//
//     node conversations.mjs FOLDER
//
// CHROMIUM and BINARY are as for `take.mjs`.

import { launch } from '../../tests/browser/harness/browser.mjs';
import { command, dev } from '../../tests/browser/harness/process.mjs';

const [folder] = process.argv.slice(2);

const browser = await launch();
try {
  for (const [conversation, height] of [['thread', 1080], ['update', 940]]) {
    const box = await dev('--conversation', conversation);
    try {
      await command('send', '--sample', 'life', '--speed', '1000000', '--url', box.service);
      const context = await browser.newContext({
        viewport: { width: 1100, height }, deviceScaleFactor: 2, reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      const room = encodeURIComponent(await box.room('general'));
      await page.goto(`${box.page}#/spaces/${room}`);
      await page.locator('.message', { hasText: 'All resolved after' }).first().waitFor();
      await page.locator('.link.live').waitFor();
      await page.screenshot({ path: `${folder}/conversation-${conversation}.png` });
      await context.close();
    } finally {
      await box.stop();
    }
  }
} finally {
  await browser.close();
}
