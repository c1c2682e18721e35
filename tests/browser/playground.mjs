// What `dev` adds: the playground, samples, and what the receiver is doing.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { beforeEach, describe, test } from 'node:test';
import { dev } from './harness/process.mjs';
import { PHONE, assertAccessible, assertNoHorizontalScroll, picture, together, withPage } from './harness/browser.mjs';

const { browser, box } = await together(dev);

beforeEach(async () => {
  await box.control('DELETE', 'faults');
  await box.control('DELETE', 'messages');
});

const open = (view, use, options = {}) => withPage(browser, `${box.page}#/${view}`, options, use);
const editor = (page) => page.locator('textarea.code');
const result = (page) => page.locator('.result .part-body').first();
const write = (page, text) => editor(page).fill(text);
const posted = () => box.control('GET', 'rooms/general/messages');
const send = (page) => page.getByRole('button', { name: 'Send', exact: true }).click();

/** The playground with its first result. */
const playground = (use, options) => open('playground', async (page) => {
  await result(page).getByText('KubePodCrashLooping').waitFor();
  await use(page);
}, options);

describe('Playground', () => {
  test('the result follows what is typed, in every form', () => playground(async (page) => {
    await write(page, '**{{ status }}** of {{ alerts | length }}');
    await result(page).getByText('firing of 1').waitFor();
    assert.equal(await result(page).locator('strong').textContent(), 'firing');
    await page.getByRole('button', { name: 'Markdown', exact: true }).click();
    assert.equal(await result(page).textContent(), '**firing** of 1');
    await page.getByRole('button', { name: 'HTML', exact: true }).click();
    assert.match(await result(page).textContent(), /<strong>firing<\/strong>/);
    await page.getByRole('button', { name: 'Text', exact: true }).click();
    assert.equal(await result(page).textContent(), 'firing of 1');
    await page.getByLabel('Notification', { exact: true }).first().selectOption('many_firing');
    await result(page).getByText('firing of 12').waitFor();
    await picture(page, 'playground');
    assert.deepEqual(await posted(), []);
  }));

  test('what is wrong is marked where it is, and a click leads there', () => playground(async (page) => {
    await write(page, `${'fine\n'.repeat(60)}{{ status | uper }}\n`);
    const problem = page.locator('.problem');
    await problem.getByText('default.md:61:13').waitFor();
    await problem.getByText('did you mean `upper`?').waitFor();
    assert.equal(await page.locator('.marks mark').textContent(), 'uper');
    assert.equal(await editor(page).getAttribute('aria-invalid'), 'true');
    await problem.click();
    assert.equal(await editor(page).evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd)), 'uper');
    const marker = page.getByRole('button', { name: /^Line 61: / });
    await marker.click();
    assert.equal(await editor(page).evaluate((area) => document.activeElement === area), true);
    await picture(page, 'playground-problem');
    await write(page, 'Mended: {{ status }}');
    await result(page).getByText('Mended: firing').waitFor();
    assert.equal(await problem.count(), 0);
    assert.equal(await page.locator('.marks mark').count(), 0);
    // What fails only with data is told in the words of the room.
    await write(page, '{{ nothing.here }}');
    await page.getByText('The template fails with this notification').waitFor();
    await result(page).getByText('a plainer one was used').waitFor();
  }));

  test('a card is written beside the text, at the width of a phone', () => playground(async (page) => {
    await page.getByLabel('Start from').selectOption('compact');
    await page.locator('.result .ac').waitFor();
    await page.getByRole('button', { name: 'Phone', exact: true }).click();
    assert.equal(await page.locator('.result.phone').evaluate((element) => element.offsetWidth), 360);
    await page.getByRole('button', { name: 'compact.card.json' }).click();
    await write(page, '{"type": "AdaptiveCard", "version": "1.3", "body": [{"type": "TextBlock", "text": "Card: {{ status }}"}]}');
    await page.locator('.result .ac').getByText('Card: firing').waitFor();
    await write(page, '{"type": "AdaptiveCard", "version": "1.9"}');
    await page.locator('.problem', { hasText: 'compact.card.json' }).waitFor();
    await picture(page, 'playground-card');
  }));

  test('a pasted notification is rendered, and said to be none where it is none', () => playground(async (page) => {
    await page.getByRole('button', { name: 'Notification', exact: true }).click();
    const body = JSON.parse(await editor(page).inputValue());
    body.alerts[0].labels.alertname = 'MyOwnAlert';
    body.commonLabels.alertname = 'MyOwnAlert';
    await write(page, JSON.stringify(body));
    await result(page).getByText('MyOwnAlert').waitFor();
    assert.equal(await page.getByLabel('Notification', { exact: true }).first().inputValue(), '(pasted)');
    await write(page, '{ "version": ');
    await page.getByRole('alert').getByText('is not JSON').waitFor();
  }, { expected: /400/ }));

  test('a long message is shown in its parts, each with its size', () => playground(async (page) => {
    await page.getByLabel('Start from').selectOption('detailed');
    await page.getByLabel('Notification', { exact: true }).first().selectOption('storm');
    await page.getByRole('heading', { name: /^Part 2 of/ }).waitFor();
    for (const meter of await page.locator('.result meter').all()) {
      assert.ok(Number(await meter.getAttribute('value')) <= 7439);
    }
    await picture(page, 'playground-parts');
  }));

  test('Tab indents, and Escape lets it leave', () => playground(async (page) => {
    await write(page, '');
    await editor(page).press('Tab');
    await editor(page).pressSequentially('x');
    assert.equal(await editor(page).inputValue(), '  x');
    await editor(page).press('Escape');
    await editor(page).press('Tab');
    assert.equal(await editor(page).evaluate((area) => document.activeElement === area), false);
    assert.equal(await editor(page).inputValue(), '  x');
  }));

  test('the template is downloaded, and a reload loses no work', () => playground(async (page) => {
    await page.getByLabel('Name').fill('night-shift');
    await write(page, 'For the night: {{ status }}');
    await result(page).getByText('For the night: firing').waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Use this template' }).click()]);
    assert.equal(download.suggestedFilename(), 'night-shift.md');
    assert.equal(await readFile(await download.path(), 'utf8'), 'For the night: {{ status }}');
    await page.reload();
    await result(page).getByText('For the night: firing').waitFor();
    assert.equal(await page.getByLabel('Name').inputValue(), 'night-shift');
  }));

  test('what is sent goes the whole way with the template, and leads to its message', () => playground(async (page) => {
    await write(page, 'Tried out: **{{ status }}**');
    await result(page).getByText('Tried out: firing').waitFor();
    await send(page);
    await page.locator('.sent').getByText('delivered').waitFor();
    const [message] = await posted();
    assert.equal(message.markdown, 'Tried out: **firing**');
    await page.getByRole('link', { name: 'See the message' }).click();
    await page.getByRole('tab', { name: 'Notification' }).click();
    await page.locator('.details').getByText('groupKey').waitFor();
    await picture(page, 'playground-sent');
  }));

  test('what a template or an alert holds is shown and never run', () => playground(async (page) => {
    await write(page, '<script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3)) {{ "<b onclick=alert(4)>b</b>" | safe }} end');
    await result(page).getByText('end').waitFor();
    assert.equal(await page.locator('.result script, .result img, .result [onclick], .result a[href^=javascript]').count(), 0);
    await page.getByLabel('Start from').selectOption('detailed');
    await page.getByRole('button', { name: 'Bring back what I wrote' }).waitFor();
    await page.getByLabel('Notification', { exact: true }).first().selectOption('hostile');
    await page.getByText('1 message with template detailed').waitFor();
    await page.locator('.result').getByText('<@all>').filter({ visible: true }).first().waitFor();
    for (const form of ['Markdown', 'Text', 'HTML', 'Message']) await page.getByRole('button', { name: form, exact: true }).click();
  }));
});

describe('Samples', () => {
  test('a sample is sent and arrives', () => open('samples', async (page) => {
    await page.getByRole('radio', { name: /^hostile/i }).check();
    await send(page);
    await page.locator('.sent-log').getByText('delivered').waitFor();
    assert.equal((await posted()).length, 1);
    await picture(page, 'samples');
    await page.getByRole('link', { name: 'See the message' }).click();
    await page.locator('.message').first().waitFor();
  }));

  test('a storm of 500 groups arrives as digests', () => open('samples', async (page) => {
    await page.getByRole('radio', { name: /^storm of groups/i }).check();
    await send(page);
    await page.getByText('Sending 500 notifications').waitFor();
    await page.getByRole('link', { name: 'Watch general' }).click();
    await page.locator('.message', { hasText: /\d+ firing/ }).first().waitFor({ timeout: 60_000 });
    await picture(page, 'storm');
  }));
});

describe('Receiver', () => {
  test('a closed gate, what waits, and the answer are shown', () => open('receiver', async (page) => {
    await page.getByText('Gate open').waitFor();
    await box.control('POST', 'faults', { effect: { too_many_requests: { retry_after: 20 } }, times: 1 });
    const sent = fetch(`${box.page}dev/v1/send`, { method: 'POST', body: JSON.stringify({ sample: 'one_firing' }) });
    await page.getByText(/Gate closed for 1?\d s/).waitFor();
    await page.getByText(/\d waiting, the oldest for/).waitFor();
    const answers = page.getByRole('region', { name: 'Answers to Alertmanager' });
    await answers.getByText('rate_limited').first().waitFor();
    await answers.getByText('503').first().waitFor();
    await sent;
    await picture(page, 'receiver-closed');
    await page.getByText('Gate open').waitFor({ timeout: 40_000 });
    await page.getByRole('region', { name: 'Outcomes' }).getByRole('link').first().click();
    await page.locator('.details').waitFor();
  }));
});

describe('The views of dev', () => {
  for (const [view, ready] of [['playground', '.part'], ['samples', '.pick'], ['receiver', '.bot-card']]) {
    for (const colorScheme of ['light', 'dark']) {
      test(`${view} has no violation in ${colorScheme}`, () => open(view, async (page) => {
        await page.locator(ready).first().waitFor();
        await assertAccessible(page, view);
      }, { colorScheme }));
    }
    test(`${view} fits a phone`, () => open(view, async (page) => {
      await page.locator(ready).first().waitFor();
      await assertNoHorizontalScroll(page, view);
      await picture(page, `${view}-phone`);
    }, { viewport: PHONE }));
  }
});
