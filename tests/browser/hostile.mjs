// Everything on the page is untrusted: it shows as text, and nothing of it runs, loads or leads
// anywhere. `withPage` fails on a dialog, an error, a request to another host and whatever the
// Content-Security-Policy had to stop.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dev } from './harness/process.mjs';
import { picture, together, withPage } from './harness/browser.mjs';

const ATTACKS = [
  '<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<img src="https://evil.example.net/x.png">',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<a href="javascript:alert(1)">click</a>',
  '[click](javascript:alert(1))',
  '[click](JaVaScRiPt:alert(1))',
  '[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '[click](vbscript:msgbox(1))',
  '![x](https://evil.example.net/x.png)',
  '<style>body{display:none}</style>',
  '<div style="position:fixed;inset:0;background:url(https://evil.example.net/x)">x</div>',
  '<link rel=stylesheet href=https://evil.example.net/x.css>',
  '<meta http-equiv=refresh content="0;url=https://evil.example.net">',
  '<base href="https://evil.example.net/">',
  '<form action="https://evil.example.net"><button>x</button></form>',
  '<input autofocus onfocus=alert(1)>',
  '<details open ontoggle=alert(1)>x</details>',
  '<body onload=alert(1)>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<spark-mention data-object-type="person" onclick="alert(1)" data-object-id="x">me</spark-mention>',
  '<blockquote class="danger chosen top" id="main" onclick=alert(1)>x</blockquote>',
  '<b id="toasts">clobber</b><a id="main" name="app">clobber</a>',
  '{{constructor.constructor("alert(1)")()}} ${alert(1)} <%= 7*7 %>',
  '</pre></code></article></main><script>alert(1)</script>',
  '\u202Egnp.exe\u2066 \u0000 \uFFFE \u2028 \u2029',
  '<@personEmail:anna@example.org|<img src=x onerror=alert(1)>>',
];

const { browser, box } = await together(dev);

/** What of the page could do something that nobody of this project wrote. */
async function dangers(page) {
  return page.evaluate(() => {
    const allowed = new Set(['http:', 'https:', 'mailto:', 'tel:', 'webexteams:']);
    const found = [];
    for (const element of document.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        if (/^on/i.test(name) || ['srcdoc', 'style', 'formaction'].includes(name)) found.push(`${element.tagName} ${name}=${value}`);
      }
      if (element.matches('main *') && element.matches('script, style, iframe, object, embed, link, meta, base, img, svg, math, video, audio')) found.push(`<${element.tagName}>`);
      const href = element.getAttribute('href');
      if (element.tagName === 'A' && href && !href.startsWith('#')) {
        if (!allowed.has(new URL(href, location.href).protocol)) found.push(`link to ${href}`);
        if (element.target !== '_blank' || !element.rel.includes('noopener')) found.push(`link without noopener to ${href}`);
      }
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) found.push(`id ${id} twice`);
    return found;
  });
}

function cardOf(attack) {
  return {
    contentType: 'application/vnd.microsoft.card.adaptive',
    content: {
      type: 'AdaptiveCard', version: '1.3',
      body: [
        { type: 'TextBlock', text: attack, wrap: true, size: attack, color: attack, spacing: attack },
        { type: 'FactSet', facts: [{ title: attack, value: attack }] },
        { type: 'ColumnSet', columns: [{ width: attack, items: [{ type: 'Image', url: 'javascript:alert(1)', altText: attack }] }] },
        { type: 'Container', style: attack, items: [{ type: attack }, null, 7, 'x', { type: 'TextBlock', text: { toString: 'x' } }] },
      ],
      actions: [
        { type: 'Action.OpenUrl', title: attack, url: 'javascript:alert(1)' },
        { type: 'Action.OpenUrl', title: attack, url: ' java\nscript:alert(1)' },
        { type: 'Action.OpenUrl', title: attack, url: 'data:text/html,<script>alert(1)</script>' },
        { type: 'Action.ShowCard', title: attack, card: { body: [{ type: 'TextBlock', text: attack }] } },
      ],
    },
  };
}

describe('What is hostile', () => {
  test('in Markdown, text and cards of messages', async () => {
    const room = await box.control('POST', 'rooms', { name: 'messages' });
    const ids = [];
    for (const attack of ATTACKS) {
      ids.push((await box.post({ roomId: room.id, markdown: attack })).id);
      ids.push((await box.post({ roomId: room.id, text: attack })).id);
      ids.push((await box.post({ roomId: room.id, markdown: 'beside', attachments: [cardOf(attack)] })).id);
    }
    await withPage(browser, `${box.page}#/spaces/${room.id}`, {}, async (page) => {
      await page.locator(`.message[data-id="${ids.at(-1)}"]`).waitFor();
      assert.equal(await page.locator('.message').count(), ids.length);
      await page.evaluate(() => {
        // Whatever can be pressed and leads nowhere else.
        for (const one of document.querySelectorAll('.ac-button.opens, .ac-button.dead, .beside summary, main a:not([href])')) one.click();
      });
      assert.deepEqual(await dangers(page), []);
      // As text it is all there.
      const plain = (await page.locator('.body.plain').allTextContents()).join('\n');
      for (const attack of ATTACKS) assert.ok(plain.includes(attack.replaceAll('\u0000', '')) || plain.includes(attack), attack);
      await picture(page, 'hostile-messages');
    });
    // No notification made these messages, and its tab says so.
    await withPage(browser, `${box.page}#/spaces/${room.id}/${ids[0]}`, { expected: /status of 404 .*\/dev\/v1\/messages\// }, async (page) => {
      for (const id of ids.slice(0, 12)) {
        await page.goto(`${box.page}#/spaces/${room.id}/${id}`);
        await page.locator(`.message.chosen[data-id="${id}"]`).waitFor();
        await page.getByRole('tab').first().waitFor();
        for (const tab of await page.getByRole('tab').allTextContents()) {
          await page.getByRole('tab', { name: tab, exact: true }).click();
          await page.getByRole('tab', { name: tab, exact: true, selected: true }).waitFor();
          assert.deepEqual(await dangers(page), [], tab);
        }
      }
    });
  });

  test('in names of rooms, bots and people, in a search and in faults', async () => {
    for (const attack of ATTACKS.slice(0, 12)) await box.control('POST', 'rooms', { name: attack });
    await box.control('POST', 'bots', { name: '<img/src=x/onerror=alert(1)>'.replaceAll('/', '-'), token: 'other' });
    await box.control('POST', 'faults', { effect: { too_many_requests: { retry_after: '<img src=x onerror=alert(1)>' } }, path: '<script>alert(1)</script>', room: '<b>', times: 3 });
    await withPage(browser, box.page, {}, async (page) => {
      await page.locator('#rooms a', { hasText: '<script>alert(1)</script>' }).first().click();
      await page.getByRole('heading', { name: '<script>alert(1)</script>' }).waitFor();
      await page.getByRole('searchbox').fill('<script>');
      await page.getByRole('heading', { name: 'found' }).waitFor();
      assert.deepEqual(await dangers(page), []);
      await page.getByRole('link', { name: 'Chaos' }).click();
      await page.locator('.active li', { hasText: 'onerror=alert(1)' }).waitFor();
      assert.deepEqual(await dangers(page), []);
      await picture(page, 'hostile-names');
    });
    await box.control('DELETE', 'faults');
  });

  test('in the page\'s own address', async () => {
    for (const hash of ['#/spaces/%3Cscript%3Ealert(1)%3C%2Fscript%3E/x', '#/%E0%A4%A', '#/spaces/../../x', '#javascript:alert(1)', '#/constructor', '#/__proto__/x']) {
      await withPage(browser, `${box.page}${hash}`, { expected: /status of 404/ }, async (page) => {
        await page.locator('#rooms a').first().waitFor();
        assert.deepEqual(await dangers(page), []);
      });
    }
  });

  test('in labels and annotations of alerts, through the whole path', async () => {
    const labels = Object.fromEntries(ATTACKS.slice(0, 20).map((attack, index) => [`label_${index}`, attack]));
    const annotations = { summary: ATTACKS.join(' '), description: ATTACKS.join('\n'), runbook_url: 'javascript:alert(1)', dashboard_url: 'https://example.org/"onmouseover="alert(1)' };
    const alert = {
      status: 'firing', labels: { alertname: '<script>alert(1)</script>', severity: 'critical', ...labels }, annotations,
      startsAt: new Date().toISOString(), endsAt: '0001-01-01T00:00:00Z', generatorURL: 'javascript:alert(1)', fingerprint: '0123456789abcdef',
    };
    await box.notify({
      version: '4', groupKey: '{}:{alertname="<script>"}', status: 'firing', receiver: 'webex', groupLabels: { alertname: alert.labels.alertname },
      commonLabels: alert.labels, commonAnnotations: annotations, externalURL: 'javascript:alert(1)', truncatedAlerts: 0, alerts: [alert],
    });
    await withPage(browser, `${box.page}#/spaces/${await box.room('general')}`, {}, async (page) => {
      await page.locator('.message', { hasText: '<script>alert(1)</script>' }).first().waitFor();
      assert.deepEqual(await dangers(page), []);
      await picture(page, 'hostile-alert');
    });
  });
});
