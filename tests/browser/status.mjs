// The status page of `serve`: what is wrong comes first, it is live, it holds its own with 2,000
// receivers, and a receiver's own view opens with its credential.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE, assertAccessible, assertNoHorizontalScroll, launch, picture, withPage } from './harness/browser.mjs';
import { firing, serve } from './harness/service.mjs';

const TOKEN = 'token-of-the-team-checkout';
const PASSWORD = 'pässword: of ann';
const HOSTILE = '<img src=x onerror=alert(1)>&quot;\\"\'><script>alert(2)</script>';
const QUOTED = JSON.stringify(HOSTILE);
/** A browser says so of each 401, whatever is made of it. */
const REFUSED = /status of 40[14]/;

let browser;
let service;

before(async () => {
  [browser, service] = await Promise.all([launch(), serve({
    rooms: ['checkout', 'payments'],
    files: { team: TOKEN, ann: PASSWORD },
    config: ({ room, file }) => `
[rooms]
checkout = "${room('checkout')}"
payments = "${room('payments')}"
payments-night = "Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA"
${QUOTED} = "Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZB"
[receivers.default]
rooms = ["checkout"]
[receivers."checkout/webex/main"]
rooms = ["checkout"]
bearer_token_file = "${file('team')}"
[receivers."payments/webex/main"]
rooms = ["payments", "payments-night"]
[receivers."payments/webex/ann"]
rooms = ["payments"]
basic_auth = [{ username = "ann", password_file = "${file('ann')}" }]
[receivers.hostile]
rooms = [${QUOTED}]
[receivers.unused]
rooms = ["payments"]
`,
  })]);
  await service.notify('');
  await service.notify('payments/webex/main');
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const names = (page) => page.locator('.receiver .name').allTextContents();
const own = (receiver) => `${service.page}?receiver=${encodeURIComponent(receiver)}`;

describe('What is shown', () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const [width, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
      test(`is for everybody: ${colorScheme}, ${width}`, () => withPage(browser, service.page, { colorScheme, viewport, reducedMotion: 'reduce' }, async (page) => {
        await page.locator('.receiver').first().waitFor();
        await page.locator('.receiver summary').first().click();
        await page.locator('#bots summary').click();
        await assertAccessible(page, 'the status');
        await assertNoHorizontalScroll(page, 'the status');
        await picture(page, `status-${colorScheme}-${width}`);
      }));
      test(`the form is, too: ${colorScheme}, ${width}`, () => withPage(browser, own('checkout/webex/main'), { colorScheme, viewport, expected: REFUSED }, async (page) => {
        await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
        await assertAccessible(page, 'the form');
        await assertNoHorizontalScroll(page, 'the form');
      }));
    }
  }

  test('is what fails first, with the remedy, and all that is known of it', () => withPage(browser, service.page, {}, async (page) => {
    const first = page.locator('.receiver').first();
    await first.waitFor();
    assert.equal(await first.locator('.name').textContent(), 'payments/webex/main');
    assert.equal(await page.locator('#verdict h2').textContent(), '1 of 6 receivers fails');
    assert.match(await page.title(), /^1 of 6 receivers fails/);
    assert.equal(await first.locator('.remedy').first().textContent(), 'Add the bot to the room, or mend the room id');
    await first.locator('summary').click();
    await first.locator('dl').waitFor();
    const facts = await first.locator('dl').textContent();
    assert.match(facts, /1 notification delivered in 1 message, 0 not delivered/);
    assert.match(facts, /Refusing roompayments-night/);
  }));

  test('is text, whatever it holds', async () => {
    await withPage(browser, service.page, {}, async (page) => {
      await service.notify('hostile');
      const mine = page.locator('.receiver', { has: page.getByRole('heading', { name: 'hostile' }) });
      await mine.locator('.why').waitFor();
      await mine.locator('summary').click();
      for (const part of ['.why', '.places', 'dl']) assert.ok((await mine.locator(part).first().textContent()).includes(HOSTILE), part);
      await service.write('config.toml', service.toml.replace('[receivers.unused]', `[receivers.unused]\n${QUOTED} = "x"`));
      assert.equal(await service.reload(), 422);
      await page.locator('#configuration pre', { hasText: 'alert(1)' }).waitFor();
      await service.write('config.toml', service.toml);
      assert.equal(await service.reload(), 200);
      assert.equal(await page.locator('main img, main script').count(), 0);
    });
    await withPage(browser, own(HOSTILE), { expected: REFUSED }, async (page) => {
      await page.locator('#door .panel', { hasText: 'alert(1)' }).waitFor();
      assert.equal(await page.locator('main img, main script').count(), 0);
    });
  });

  test('changes while one looks, and what was opened stays open', () => withPage(browser, service.page, {}, async (page) => {
    const mine = page.locator('.receiver', { has: page.getByRole('heading', { name: 'default', exact: true }) });
    await mine.locator('summary').click();
    await page.getByText('1 notification delivered in 1 message, 0 not delivered, 0 requests refused').last().waitFor();
    await service.notify('');
    await mine.getByText('2 notifications delivered in 2 messages').waitFor();
    assert.equal(await mine.locator('details').evaluate((element) => element.open), true);
    assert.equal(await mine.locator('summary').evaluate((element) => element === document.activeElement), true, 'the focus stays');
  }));

  test('a request that is refused, until a notification comes', () => withPage(browser, service.page, {}, async (page) => {
    await page.locator('.receiver').first().waitFor();
    await service.notify('unused', { not: 'a notification' });
    await page.locator('.receiver.rejected', { hasText: 'unused' }).waitFor();
    await service.notify('unused');
    await page.locator('.receiver.rejected').waitFor({ state: 'detached' });
  }));

  test('goes by keyboard', () => withPage(browser, service.page, {}, async (page) => {
    await page.locator('.receiver').first().waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await page.getByRole('searchbox').focus();
    await page.keyboard.type('ANN');
    await page.waitForURL(/filter=ANN/);
    await page.getByRole('heading', { name: 'default', exact: true }).waitFor({ state: 'detached' });
    assert.deepEqual(await names(page), ['payments/webex/ann']);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/state=trouble/);
    await page.getByText('No receiver is so.').waitFor();
  }));

  test('is in the address', () => withPage(browser, `${service.page}?filter=payments&state=failing`, {}, async (page) => {
    await page.locator('.receiver').first().waitFor();
    assert.deepEqual(await names(page), ['payments/webex/main']);
    assert.equal(await page.getByRole('searchbox').inputValue(), 'payments');
    assert.equal(await page.getByRole('button', { name: /^Failing/ }).getAttribute('aria-pressed'), 'true');
  }));

  test('a configuration that is refused, and that it was mended', () => withPage(browser, service.page, {}, async (page) => {
    await page.locator('.receiver').first().waitFor();
    await service.write('config.toml', service.toml.replace('[receivers.unused]', '[receivers.unused]\nshape = "x"'));
    assert.equal(await service.reload(), 422);
    await page.locator('#configuration pre', { hasText: 'shape' }).waitFor();
    await assertAccessible(page, 'a refused configuration');
    await service.write('config.toml', service.toml);
    assert.equal(await service.reload(), 200);
    await page.locator('#configuration pre').waitFor({ state: 'detached' });
  }));
});

describe('A receiver\'s own view', () => {
  test('opens with its token, which is sent in a header and kept nowhere', () => withPage(browser, own('checkout/webex/main'), { expected: REFUSED }, async (page) => {
    const addresses = [];
    page.on('request', (request) => addresses.push(request.url()));
    const form = page.getByRole('button', { name: 'Show the status' });
    await page.getByLabel('Token', { exact: true }).fill('something-else');
    await form.click();
    await page.getByText('That was not right').waitFor();
    await page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await form.click();
    await page.locator('.receiver').waitFor();
    assert.deepEqual(await names(page), ['checkout/webex/main']);
    assert.equal(await page.getByRole('searchbox').count(), 0);
    await assertAccessible(page, 'a receiver\'s own view');
    assert.ok(!addresses.concat(page.url()).some((address) => address.includes(TOKEN)));
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.equal(kept, '[{},{},""]');
    await page.getByRole('button', { name: 'Forget the credential' }).click();
    await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
    assert.equal(await page.locator('.receiver').first().isVisible(), false);
  }));

  test('opens with a name and a password', () => withPage(browser, own('payments/webex/ann'), { expected: REFUSED }, async (page) => {
    await page.getByRole('button', { name: 'Name and password' }).click();
    await page.getByLabel('Name', { exact: true }).fill('ann');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('.receiver').waitFor();
    assert.deepEqual(await names(page), ['payments/webex/ann']);
  }));

  test('needs no credential where the receiver has none', () => withPage(browser, own('payments/webex/main'), { viewport: PHONE }, async (page) => {
    await page.locator('#verdict.failing').waitFor();
    await assertNoHorizontalScroll(page, 'a receiver\'s own view');
    await page.getByRole('link', { name: 'all receivers' }).click();
    await page.locator('.receiver').nth(2).waitFor();
  }));

  test('of a name that nothing has says which was meant', () => withPage(browser, own('payments/webex/mian'), { expected: REFUSED }, async (page) => {
    await page.getByText('did you mean').waitFor();
  }));
});

describe('The end of the process', () => {
  test('is told, and so is the loss of the connection', async () => {
    const other = await serve({ config: ({ room }) => `[receivers.default]\nrooms = ["${room('general')}"]\n` });
    try {
      await withPage(browser, other.page, { expected: /Failed to load resource/ }, async (page) => {
        await page.getByText('No notification came yet').waitFor();
        other.drain();
        await page.getByText('This process is about to end').waitFor();
        await page.getByText('Not connected, trying again').waitFor();
        assert.ok(await page.locator('.receiver').isVisible(), 'what was known last stays');
      });
    } finally {
      await other.stop();
    }
  });
});

// Times are printed, not asserted: they are the machine's. What is asserted is how much the page
// holds and asks for.
describe('With 2,000 receivers', () => {
  const ALL = 2_000;
  const MOST_ELEMENTS = 1_200;

  test('the page is small, and a filter answers at once', async () => {
    const many = await serve({
      config: ({ room }) => Array.from({ length: ALL }, (_, index) => `[receivers."team-${index}/webex/main"]\nrooms = ["${room('general')}"]\n`).join(''),
    });
    try {
      await withPage(browser, many.page, {}, async (page) => {
        await page.locator('.receiver').nth(49).waitFor();
        const { paint, shown, bytes } = await page.evaluate(() => ({
          paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
          shown: performance.now(),
          bytes: performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).reduce((sum, entry) => sum + entry.transferSize, 0),
        }));
        assert.equal(await page.locator('.receiver').count(), 50);
        const elements = await page.evaluate(() => document.querySelectorAll('*').length);
        assert.ok(elements < MOST_ELEMENTS, `${elements} elements`);
        assert.ok(bytes < 200_000, `${bytes} bytes`);

        const filtered = await page.evaluate(async () => {
          const list = document.querySelector('.list');
          const search = document.querySelector('input[type=search]');
          const done = new Promise((resolve) => {
            new MutationObserver((_, observer) => {
              if (list.children.length !== 11) return;
              observer.disconnect();
              requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
            }).observe(list, { childList: true });
          });
          const begin = performance.now();
          search.value = 'team-199';
          search.dispatchEvent(new Event('input'));
          return (await done) - begin;
        });
        // What was asked for before may still be on its way here.
        const asked = [];
        page.on('request', (request) => asked.push(request));
        await page.waitForResponse((response) => asked.includes(response.request()) && response.status() === 304);
        const answers = await Promise.all(asked.map((request) => request.response()));
        assert.ok(answers.every((answer) => answer.status() === 304), 'where nothing changes nothing is sent');
        await page.getByRole('searchbox').fill('');
        await page.getByRole('button', { name: 'Show 50 more of 1,950' }).click();
        await page.locator('.receiver').nth(99).waitFor();
        assert.match(page.url(), /limit=100/);
        const begin = performance.now();
        for (let index = 0; index < 20; index += 1) await many.status();
        const answer = (performance.now() - begin) / 20;
        console.log(`first paint ${Math.round(paint)} ms, receivers shown ${Math.round(shown)} ms, ${Math.round(bytes / 1024)} KiB loaded, filter shown after ${Math.round(filtered)} ms (200 ms of it a pause), an answer takes ${answer.toFixed(1)} ms`);
        await picture(page, 'status-many');
      });
    } finally {
      await many.stop();
    }
  });
});
