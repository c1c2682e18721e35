// Every view, in light and dark, wide and narrow: axe-core finds no violation, nothing is wider
// than the screen.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { dev } from './harness/process.mjs';
import { DESKTOP, PHONE, assertAccessible, assertNoHorizontalScroll, picture, together, withPage } from './harness/browser.mjs';

const { browser, box } = await together(dev);
let general;
let message;

before(async () => {
  general = await box.room('general');
  const root = await box.post({ roomId: general, markdown: '# Head\n\n**bold** `code` [link](https://example.org) <@all>\n\n> quote\n\n```\ncode\n```' });
  await box.post({ roomId: general, parentId: root.id, text: 'a reply' });
  await box.webex('PUT', `messages/${root.id}`, { roomId: general, markdown: '<blockquote class="danger">**Down**: `db-1` [graph](https://example.org)</blockquote>' });
  for (const kind of ['success', 'info', 'warning']) {
    await box.post({ roomId: general, markdown: `<blockquote class="${kind}">A ${kind} with \`code\` and [a link](https://example.org)</blockquote>` });
  }
  const colours = ['good', 'warning', 'attention', 'accent'];
  const content = {
    type: 'AdaptiveCard', version: '1.3',
    body: [
      ...colours.map((style) => ({ type: 'Container', style, items: [{ type: 'TextBlock', text: style, color: style }, { type: 'TextBlock', text: '[a link](https://example.org)', isSubtle: true }] })),
      { type: 'Container', style: 'emphasis', items: [{ type: 'TextBlock', text: 'emphasis', isSubtle: true }] },
      { type: 'FactSet', facts: [{ title: 'severity', value: 'critical' }] },
      { type: 'Image', url: 'https://example.org/x.png' },
    ],
    actions: [{ type: 'Action.OpenUrl', title: 'Open', url: 'https://example.org' }, { type: 'Action.ShowCard', title: 'Show', card: { body: [] } }, { type: 'Action.Submit', title: 'Dead' }],
  };
  message = await box.post({ roomId: general, markdown: 'beside', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] });
  await box.control('POST', 'faults', { effect: 'edit_refused', times: 3 });
  await box.control('PATCH', 'bots/sandbox', { quota: { per_second: 100, burst: 100 } });
});

/** Shows a state of the page, beyond what its address says. */
const STATES = {
  spaces: { hash: () => ['spaces', general], ready: (page) => page.locator('.message .ac').waitFor() },
  details: { hash: () => ['spaces', general, message.id, 'request'], ready: (page) => page.getByRole('tab', { name: 'Request', selected: true }).waitFor() },
  search: {
    hash: () => ['spaces', general],
    ready: async (page, isPhone) => {
      if (isPhone) await page.getByRole('button', { name: 'Spaces' }).click();
      await page.getByRole('searchbox').fill('link');
      await page.getByRole('heading', { name: 'found' }).waitFor();
    },
  },
  empty: { hash: () => ['spaces'], ready: (page, isPhone) => (isPhone ? page.locator('.message .ac').waitFor() : page.locator('#rooms a', { hasText: 'ops' }).click().then(() => page.getByText('Nothing has been posted here yet').waitFor())) },
  chaos: {
    hash: () => ['chaos'],
    ready: async (page) => {
      await page.locator('.choice').first().click();
      await page.getByRole('button', { name: 'Let it happen' }).waitFor();
      await page.getByText('3 more').waitFor();
    },
  },
};

describe('Every view', () => {
  for (const [name, { hash, ready }] of Object.entries(STATES)) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [width, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
        test(`${name}, ${colorScheme}, ${width}`, () => {
          const address = `${box.page}#/${hash().map(encodeURIComponent).join('/')}`;
          return withPage(browser, address, { colorScheme, viewport, reducedMotion: 'reduce' }, async (page) => {
            await ready(page, width === 'phone');
            await assertAccessible(page, name);
            await assertNoHorizontalScroll(page, name);
            await picture(page, `view-${name}-${colorScheme}-${width}`);
          });
        });
      }
    }
  }

  // What the receiver's side adds; its own tests are in a file of its own.
  for (const colorScheme of ['light', 'dark']) {
    for (const [width, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
      test(`the views that only dev has, ${colorScheme}, ${width}`, () => withPage(browser, box.page, { colorScheme, viewport, reducedMotion: 'reduce' }, async (page) => {
        await page.locator('.tab').first().waitFor();
        const views = await page.locator('.tab').evaluateAll((tabs) => tabs.map((tab) => tab.dataset.view));
        const others = views.filter((one) => !['spaces', 'chaos'].includes(one));
        assert.ok(others.length >= 3, views.join());
        for (const view of others) {
          await page.locator(`.tab[data-view="${view}"]`).click();
          await page.locator('main h2').first().waitFor();
          await page.waitForLoadState('networkidle');
          await assertAccessible(page, view);
          await assertNoHorizontalScroll(page, view);
          await picture(page, `view-${view}-${colorScheme}-${width}`);
        }
      }));
    }
  }
});
