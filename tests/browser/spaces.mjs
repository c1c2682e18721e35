// Spaces: what arrives, how it is shown, and that a reader keeps the place.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sandbox } from './harness/process.mjs';
import { DESKTOP, PHONE, assertNoHorizontalScroll, picture, together, withPage } from './harness/browser.mjs';

const { browser, box } = await together(sandbox);
let general;
let ops;

beforeEach(async () => {
  await box.control('POST', 'reset');
  [general, ops] = await Promise.all([box.room('general'), box.room('ops')]);
});

const at = (...parts) => `${box.page}#/${parts.map(encodeURIComponent).join('/')}`;
const open = (use, options = {}, ...parts) => withPage(browser, at('spaces', ...(parts.length ? parts : [general])), options, use);
const distanceToEnd = (page) => page.locator('.messages').first().evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);

/** A card as a template might make it. */
const card = {
  contentType: 'application/vnd.microsoft.card.adaptive',
  content: {
    type: 'AdaptiveCard', version: '1.3',
    body: [
      { type: 'TextBlock', text: 'Disk **full** on [db-1](https://example.org)', wrap: true },
      { type: 'Image', url: 'https://example.org/graph.png', altText: 'Disk of the last hour' },
    ],
    actions: [
      { type: 'Action.OpenUrl', title: 'Silence', url: 'https://alertmanager.example.org' },
      { type: 'Action.ShowCard', title: 'More', card: { type: 'AdaptiveCard', body: [{ type: 'TextBlock', text: 'All that is known' }] } },
    ],
  },
};

describe('Spaces', () => {
  test('a message arrives without a reload, and is told to screen readers', () => open(async (page) => {
    await page.getByText('Nothing has been posted here yet').waitFor();
    await page.evaluate(() => { globalThis.notReloaded = true; });
    await box.post({ roomId: general, markdown: 'Disk of **db-1** is full' });
    await page.locator('.message', { hasText: 'Disk of db-1 is full' }).waitFor();
    assert.equal(await page.locator('.message strong').textContent(), 'db-1');
    await page.locator('#announcer', { hasText: 'Disk of db-1 is full' }).waitFor();
    assert.equal(await page.evaluate(() => globalThis.notReloaded), true);
    assert.match(await page.locator('.message meter').getAttribute('aria-label'), /^24 of 7,439 bytes$/);
    await picture(page, 'spaces-message');
  }));

  test('other rooms count what nobody has looked at', () => open(async (page) => {
    const row = page.locator('#rooms a', { hasText: 'ops' });
    await row.waitFor();
    await box.post({ roomId: ops, text: 'one' });
    await box.post({ roomId: ops, text: 'two' });
    await row.locator('.unread', { hasText: '2' }).waitFor();
    await row.click();
    await page.locator('.message', { hasText: 'two' }).waitFor();
    await row.locator('.unread').waitFor({ state: 'detached' });
    await page.reload();
    await page.locator('.message', { hasText: 'two' }).waitFor();
    assert.equal(await page.locator('.unread').count(), 0);
  }));

  test('replies stand under their root, and an edit keeps what was before', () => open(async (page) => {
    const root = await box.post({ roomId: general, markdown: 'Deployment **begins**' });
    await box.post({ roomId: general, markdown: 'Something else' });
    await box.post({ roomId: general, parentId: root.id, markdown: 'Half of it is done' });
    await page.locator('.message.reply', { hasText: 'Half of it is done' }).waitFor();
    const texts = await page.locator('.message .body').allTextContents();
    assert.deepEqual(texts.map((text) => text.trim()), ['Deployment begins', 'Half of it is done', 'Something else']);

    await box.webex('PUT', `messages/${root.id}`, { roomId: general, markdown: 'Deployment **is done**' });
    const message = page.locator('.message', { hasText: 'Deployment is done' });
    await message.getByRole('link', { name: 'edited 1×' }).click();
    const versions = page.locator('.version');
    await versions.nth(1).waitFor();
    assert.deepEqual((await versions.locator('.body').allTextContents()).map((text) => text.trim()), ['Deployment is done', 'Deployment begins']);
    await picture(page, 'spaces-thread');
  }));

  test('a message opens to all that is known of it, at an address of its own', async () => {
    const { id } = await box.post({ roomId: general, markdown: 'Disk **full**', attachments: [card] });
    await open(async (page) => {
      const details = page.getByRole('complementary', { name: 'Message' });
      const look = async (tab) => {
        await details.getByRole('tab', { name: tab, exact: true }).click();
        await details.getByRole('tab', { name: tab, exact: true, selected: true }).waitFor();
        return details.getByRole('tabpanel').innerText();
      };
      await details.getByRole('tab').first().waitFor();
      assert.match(await look('Rendered'), /Disk full on db-1/);
      assert.match(await look('Markdown'), /Disk \*\*full\*\*/);
      assert.match(await look('Text'), /Disk full/);
      assert.match(await look('HTML'), /<strong>full<\/strong>/);
      assert.match(await look('Card'), /"version": "1.3"/);
      const request = await look('Request');
      assert.match(request, /POST \/v1\/messages/);
      assert.match(request, /authorization\s+Bearer \[redacted\]/i);
      assert.ok(!/Bearer sandbox/.test(request), 'the token is not shown');
      assert.match(request, /"roomId"/);
      assert.match(await look('Answer'), /200[\s\S]*"id"/);
      await picture(page, 'spaces-details');
      await page.reload();
      await details.getByRole('tab', { name: 'Answer', selected: true }).waitFor();
      await page.keyboard.press('Escape');
      await details.waitFor({ state: 'hidden' });
      assert.equal(await page.evaluate(() => location.hash.split('/').length), 3);
    }, {}, general, id);
  });

  test('a card opens what it holds, and loads no picture', () => open(async (page) => {
    await box.post({ roomId: general, markdown: 'beside', attachments: [card] });
    const shown = page.locator('.ac');
    await shown.getByText('Disk full on db-1').waitFor();
    await shown.getByText('Image: Disk of the last hour').waitFor();
    assert.equal(await shown.locator('img').count(), 0);
    assert.equal(await shown.getByText('All that is known').isVisible(), false);
    const more = shown.getByRole('button', { name: 'More' });
    await more.click();
    await shown.getByText('All that is known').waitFor();
    assert.equal(await more.getAttribute('aria-expanded'), 'true');
    await picture(page, 'spaces-card');
  }));

  test('who reads further up keeps the place, and is told of what is new', async () => {
    await box.fill(general, 60);
    await open(async (page) => {
      const list = page.locator('.messages').first();
      await page.locator('.message').nth(59).waitFor();
      assert.ok(await distanceToEnd(page) < 2, 'it begins at the end');
      await list.evaluate((element) => { element.scrollTop = 900; });
      await page.evaluate(() => new Promise(requestAnimationFrame));
      const first = await page.evaluate(() => document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('.message')?.dataset.id);
      await box.fill(general, 5);
      const pill = page.getByRole('button', { name: '5 new' });
      await pill.waitFor();
      assert.equal(await list.evaluate((element) => element.scrollTop), 900);
      assert.equal(await page.evaluate(() => document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('.message')?.dataset.id), first);
      await pill.click();
      await page.locator('.message').nth(64).waitFor();
      await pill.waitFor({ state: 'hidden' });
      assert.ok(await distanceToEnd(page) < 2, 'it is at the end again');
      await box.post({ roomId: general, markdown: 'the last one' });
      await page.locator('.message', { hasText: 'the last one' }).waitFor();
      assert.ok(await distanceToEnd(page) < 2, 'who is at the end stays there');
    });
  });

  test('a reply to a message further up is told, and led to', async () => {
    const root = await box.post({ roomId: general, markdown: 'the root' });
    await box.fill(general, 60);
    await open(async (page) => {
      await page.locator('.message').nth(60).waitFor();
      await box.post({ roomId: general, parentId: root.id, markdown: 'the answer' });
      await page.getByRole('button', { name: '1 new reply' }).click();
      const reply = page.locator('.message', { hasText: 'the answer' });
      await reply.waitFor();
      await page.getByRole('button', { name: '1 new reply' }).waitFor({ state: 'hidden' });
      assert.ok(await reply.evaluate((element) => element.getBoundingClientRect().top > 0));
    });
  });

  test('earlier messages come when they are asked for, and the reader stays', async () => {
    await box.fill(general, 150);
    await open(async (page) => {
      const earlier = page.getByRole('button', { name: 'Show earlier (50)' });
      await page.locator('.message').nth(99).waitFor();
      const first = await page.locator('.message').first().getAttribute('data-id');
      await page.locator('.messages').first().evaluate((element) => { element.scrollTop = 0; });
      await earlier.click();
      await page.locator('.message').nth(149).waitFor();
      await earlier.waitFor({ state: 'detached' });
      const top = await page.locator(`.message[data-id="${first}"]`).evaluate((element) => element.getBoundingClientRect().top);
      assert.ok(top > 0 && top < 400, `what was first is still in view: ${top}`);
    });
  });

  test('a search looks through all rooms, their cards too', async () => {
    await box.post({ roomId: general, markdown: 'nothing of interest' });
    await box.post({ roomId: ops, markdown: 'The NEEDLE in text' });
    await box.post({ roomId: ops, markdown: 'beside', attachments: [{ ...card, content: { ...card.content, body: [{ type: 'TextBlock', text: 'a needle in a card' }] } }] });
    await open(async (page) => {
      await page.locator('.message', { hasText: 'nothing of interest' }).waitFor();
      const search = page.getByRole('searchbox', { name: 'Search all messages' });
      await search.fill('needle');
      await page.getByRole('heading', { name: '2 messages found' }).waitFor();
      assert.equal(await page.locator('.found .message').count(), 2);
      await picture(page, 'spaces-search');
      await search.fill('no such thing');
      await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
      await search.fill('');
      await page.locator('.message', { hasText: 'nothing of interest' }).waitFor();
      assert.equal(await page.locator('.found').isVisible(), false);
    });
  });

  test('a message is deleted, and a room is cleared when asked twice', async () => {
    const { id } = await box.post({ roomId: general, markdown: 'to be deleted' });
    await box.post({ roomId: general, markdown: 'to be cleared' });
    await open(async (page) => {
      await page.getByRole('button', { name: 'Delete the message' }).click();
      await page.locator('.message', { hasText: 'to be deleted' }).waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Clear' }).click();
      assert.equal((await box.control('GET', `rooms/${general}/messages`)).length, 1);
      await page.getByRole('button', { name: 'Delete 1 message?' }).click();
      await page.getByText('Nothing has been posted here yet').waitFor();
      assert.equal((await box.control('GET', `rooms/${general}/messages`)).length, 0);
    }, {}, general, id);
  });

  test('all of it is reached by keyboard', async () => {
    await box.post({ roomId: general, markdown: 'a message' });
    await open(async (page) => {
      await page.locator('.message').waitFor();
      await page.locator('#rooms a', { hasText: 'general' }).focus();
      await page.keyboard.press('ArrowDown');
      assert.equal(await page.evaluate(() => document.activeElement.textContent.startsWith('ops')), true);
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Enter');
      // On through the page with Tab alone, to the message and into its details.
      let steps = 0;
      while (!(await page.evaluate(() => document.activeElement.classList.contains('open')))) {
        await page.keyboard.press('Tab');
        const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        assert.notEqual(outline, 'none', 'the focus is visible');
        steps += 1;
        assert.ok(steps < 40, 'the details are reached');
      }
      await page.keyboard.press('Enter');
      await page.getByRole('tab').first().waitFor();
      await page.getByRole('tab', { name: 'Rendered' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.getByRole('tab', { name: 'Markdown', selected: true }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Markdown');
      await page.keyboard.press('Escape');
      await page.getByRole('complementary', { name: 'Message' }).waitFor({ state: 'hidden' });
      assert.equal(await page.evaluate(() => document.activeElement.classList.contains('open')), true, 'the focus is back where it was');
    });
  });

  test('on a phone the rooms are a menu, and nothing is wider than the screen', async () => {
    await box.post({ roomId: general, markdown: `A${'a'.repeat(300)} \`${'b'.repeat(300)}\` <https://example.org/${'c'.repeat(300)}>`, attachments: [card] });
    const { id } = await box.post({ roomId: general, markdown: `\`\`\`\n${'long '.repeat(100)}\n\`\`\`` });
    await box.post({ roomId: general, parentId: id, text: 'x'.repeat(500) });
    await open(async (page) => {
      await page.locator('.message').nth(2).waitFor();
      await assertNoHorizontalScroll(page, 'the room');
      await picture(page, 'spaces-phone');
      const menu = page.getByRole('button', { name: 'Spaces' });
      assert.equal(await page.locator('#rooms').isVisible(), false);
      await menu.click();
      await page.locator('#rooms a', { hasText: 'ops' }).waitFor();
      await picture(page, 'spaces-phone-menu');
      await page.keyboard.press('Escape');
      await page.locator('#rooms').waitFor({ state: 'hidden' });
      await menu.click();
      await page.locator('#rooms a', { hasText: 'ops' }).click();
      await page.getByRole('heading', { name: 'ops' }).waitFor();
      assert.equal(await page.locator('#rooms').isVisible(), false);
      await page.goto(at('spaces', general, id, 'request'));
      await page.getByRole('tab', { name: 'Request', selected: true }).waitFor();
      await assertNoHorizontalScroll(page, 'the details');
      await picture(page, 'spaces-phone-details');
    }, { viewport: PHONE });
  });

  test('it is dark where the system is', () => open(async (page) => {
    await page.getByText('Nothing has been posted here yet').waitFor();
    const [red, green, blue] = (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).match(/\d+/g).map(Number);
    assert.ok(red + green + blue < 150, `${red} ${green} ${blue}`);
    await picture(page, 'spaces-dark');
  }, { colorScheme: 'dark', viewport: DESKTOP }));

  test('a sandbox that is started again is shown as it is now', async () => {
    const first = await sandbox();
    let second;
    try {
      const room = await first.room('general');
      await first.post({ roomId: room, markdown: 'before' });
      await withPage(browser, `${first.page}#/spaces/${room}`, { expected: /ERR_|Failed to load/ }, async (page) => {
        await page.locator('.message', { hasText: 'before' }).waitFor();
        await first.stop();
        await page.getByText('Not connected, trying again').waitFor();
        second = await sandbox(new URL(first.page).host);
        await second.post({ roomId: room, markdown: 'after' });
        await page.locator('.message', { hasText: 'after' }).waitFor();
        assert.equal(await page.locator('.message', { hasText: 'before' }).count(), 0);
        await page.locator('.link.live').waitFor();
      });
    } finally {
      await first.stop();
      await second?.stop();
    }
  });

  test('it says that it is not Webex', () => open(async (page) => {
    await page.getByText('This is a sandbox, not Webex.').waitFor();
    assert.ok(await page.getByText('This is a sandbox, not Webex.').isVisible());
  }));
});
