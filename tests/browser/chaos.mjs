// Chaos: faults are turned on and off, and show what they do.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sandbox } from './harness/process.mjs';
import { PHONE, picture, together, withPage } from './harness/browser.mjs';

const { browser, box } = await together(sandbox);
let general;

beforeEach(async () => {
  await box.control('POST', 'reset');
  general = await box.room('general');
});

const open = (use, options = {}) => withPage(browser, `${box.page}#/chaos`, options, use);
const status = async () => {
  const answer = await fetch(`${box.page}v1/messages`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: 'Bearer sandbox' }, body: JSON.stringify({ roomId: general, text: 'x' }),
  });
  return answer.status;
};
const choice = (page, name) => page.locator('.choice').filter({ has: page.locator('.choice-name', { hasText: name }) }).first();

/** Whether all of `part` stands in `whole`: the server adds what was left out. */
const isWithin = (part, whole) => (part !== null && typeof part === 'object'
  ? Object.entries(part).every(([key, value]) => isWithin(value, whole?.[key])) : part === whole);

describe('Chaos', () => {
  test('a fault is set, is told on every view with what is left, and is cleared', () => open(async (page) => {
    await choice(page, /too many requests/i).click();
    await page.getByLabel('It lasts').selectOption('times');
    await page.getByLabel('Requests', { exact: true }).fill('2');
    await page.getByRole('button', { name: 'Let it happen' }).click();
    await page.locator('.active li', { hasText: '2 more' }).waitFor();
    assert.equal(await status(), 429);
    await page.locator('.active li', { hasText: '1 more' }).waitFor();
    await page.locator('.active li', { hasText: 'met by 1 request' }).waitFor();
    await picture(page, 'chaos-active');

    await page.getByRole('link', { name: 'Spaces', exact: true }).click();
    await page.getByRole('link', { name: '1 fault active' }).click();
    await page.locator('.active li').getByRole('button', { name: /^Clear/ }).click();
    await page.locator('.active li').waitFor({ state: 'detached' });
    await page.locator('#faults').waitFor({ state: 'hidden' });
    assert.equal(await status(), 200);
  }));

  test('every example of the catalogue can be set from the page as it stands there', () => open(async (page) => {
    const catalogue = await box.control('GET', 'faults/catalogue');
    await page.locator('.choice').nth(catalogue.length - 1).waitFor();
    assert.equal(await page.locator('.choice').count(), catalogue.length);
    const rooms = await box.control('GET', 'rooms');
    let amount = 0;
    for (const [index, { examples }] of catalogue.entries()) {
      await page.locator('.choice').nth(index).click();
      for (const [variant, { fault }] of examples.entries()) {
        if (examples.length > 1) await page.getByLabel('In which form').selectOption(String(variant));
        await page.getByRole('button', { name: 'Let it happen' }).click();
        await page.locator('.active li').nth(amount).waitFor();
        const standing = (await box.control('GET', 'faults')).at(-1).fault;
        assert.ok(isWithin(fault.effect, standing.effect), JSON.stringify([fault, standing]));
        assert.equal(rooms.find(({ id }) => id === standing.room)?.title, fault.room);
        assert.equal(standing.bot, fault.bot);
        amount += 1;
      }
    }
    assert.ok(amount > 20, `${amount} examples`);
    await page.getByRole('link', { name: `${amount} faults active` }).waitFor();
    await picture(page, 'chaos-all');
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.getByText('Nothing: every request is answered as Webex would.').waitFor();
  }));

  test('one that lasts for a time counts down, for one room and bot only', () => open(async (page) => {
    await choice(page, /reset|connection/i).click();
    await page.getByLabel('It lasts').selectOption('for_ms');
    await page.getByLabel('Seconds', { exact: true }).fill('3600');
    await page.getByLabel('Only for the room').selectOption({ label: 'ops' });
    await page.getByLabel('Only for the bot').selectOption({ label: 'sandbox' });
    await page.getByRole('button', { name: 'Let it happen' }).click();
    await page.locator('.active li', { hasText: 'room ops' }).waitFor();
    await page.locator('.left', { hasText: '59 min' }).waitFor();
    assert.equal(await status(), 200, 'another room is not harmed');
    const [{ fault }] = await box.control('GET', 'faults');
    assert.ok(fault.for_ms > 3_000_000 && fault.bot === 'sandbox');
  }));

  test('what makes no sense is refused in words', () => open(async (page) => {
    await choice(page, /reset|connection/i).click();
    await page.getByLabel('It lasts').selectOption('times');
    // The field itself would keep this from being sent; the server must say no as well.
    await page.getByLabel('Requests', { exact: true }).evaluate((input) => {
      input.removeAttribute('min');
      input.value = '-1';
    });
    await page.getByRole('button', { name: 'Let it happen' }).click();
    await page.getByRole('alert').filter({ hasText: 'times' }).waitFor();
    assert.deepEqual(await box.control('GET', 'faults'), []);
  }, { expected: /status of 400/ }));

  test('a bot gets a quota, loses its token, and leaves a room', () => open(async (page) => {
    const bot = page.getByRole('article', { name: 'Bot sandbox' });
    await bot.getByLabel('Requests a second of sandbox').fill('0.01');
    await bot.getByLabel('Burst of sandbox').fill('1');
    await bot.getByRole('button', { name: 'Set' }).click();
    await bot.getByRole('button', { name: 'Lift' }).waitFor();
    assert.equal(await status(), 200);
    assert.equal(await status(), 429, 'the burst is used up');
    await bot.getByRole('button', { name: 'Lift' }).click();
    await bot.getByRole('button', { name: 'Lift' }).waitFor({ state: 'hidden' });
    assert.equal(await status(), 200);

    await bot.getByRole('button', { name: 'Revoke the token' }).click();
    await bot.getByText('token revoked').waitFor();
    assert.equal(await status(), 401);
    await bot.getByRole('button', { name: 'Restore the token' }).click();
    await bot.getByText('token valid').waitFor();
    assert.equal(await status(), 200);

    await bot.getByRole('checkbox', { name: 'general' }).uncheck();
    await box.control('GET', 'rooms');
    await page.waitForFunction(async (room) => {
      const rooms = await (await fetch('/control/v1/rooms')).json();
      return rooms.find(({ id }) => id === room).bots.length === 0;
    }, general);
    assert.equal(await status(), 404);
  }));

  test('what is contested about Webex is a knob', () => open(async (page) => {
    await page.locator('select[data-knob]').first().waitFor();
    const set = ([knob, wanted]) => page.waitForFunction(async ([key, value]) => String((await (await fetch('/control/v1/behaviour')).json())[key]) === value, [knob, wanted]);
    const names = Object.keys(await box.control('GET', 'behaviour')).sort();
    const onPage = await page.locator('[data-knob]').evaluateAll((all) => all.map((one) => one.dataset.knob).sort());
    assert.deepEqual(onPage, names, 'every knob is on the page');
    for (const control of await page.locator('select[data-knob]').all()) {
      const options = await control.locator('option').evaluateAll((all) => all.map((one) => one.value));
      for (const option of [...options.slice(1), options[0]]) {
        await control.selectOption(option);
        await set([await control.getAttribute('data-knob'), option]);
      }
    }
    const bytes = page.getByLabel('The largest card, in bytes');
    await bytes.fill('1000');
    await bytes.press('Enter');
    await set(['card_max_bytes', '1000']);
  }));

  test('it looks right on a phone', () => open(async (page) => {
    await box.control('POST', 'faults', { effect: { too_many_requests: { retry_after: 'rand(30),add(30)' } }, for_ms: 600000, room: 'ops' });
    await page.locator('.active li').waitFor();
    await choice(page, /too many requests/i).click();
    await picture(page, 'chaos-phone');
  }, { viewport: PHONE }));
});
