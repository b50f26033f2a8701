/**
 * A stand-in for the Go server, for building screens and taking pictures of them. It serves ../dist under the real
 * Content Security Policy and answers the API from memory with invented mail. It decides, records and protects
 * nothing. `npm run mock`, then open the address it prints. Query parameters of /__mock set its mood:
 * mode=mail|signed-out|demo|gate|reconnect|denied|empty|slow|limited|auditor, arrive=1 lets a message arrive;
 * mode=support|approver|unread-rules for staff, mode=untouched for an owner whom nobody ever asked anything,
 * mode=changing for one to whom a new disclosure is announced.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { access, agreed, resetAccess } from './access.mjs';
import { auditConsole } from './console.mjs';
import { decisions } from './decisions.mjs';
import { bodyOf, labels, makeThreads, messageOf, rowOf } from './mailbox.mjs';
import { numbers, serviceFigures } from './numbers.mjs';
import { changes, rights } from './rights.mjs';
import { resetServices, services } from './services.mjs';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html";
const bodyPolicy =
  "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox";
const blankPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-same-origin";

let mode = 'mail';
let threads = makeThreads();
resetAccess(threads);
const drafts = new Map();
const outbox = new Map();
const streams = new Set();

const product = () => ({ name: 'Webmail', demo: mode === 'demo', undoSendSeconds: 10 });
const account = () => ({
  id: 'acc1',
  email: 'alice@example.com',
  name: 'Alice Moreau',
  state: mode === 'reconnect' ? 'reconnect' : 'connected',
  ...(mode === 'changing' && { changes: changes() }),
});

function session() {
  if (mode === 'signed-out' || mode === 'demo') return { signedIn: false, roles: [], accounts: [], product: product() };
  if (mode === 'support' || mode === 'approver' || mode === 'unread-rules')
    return {
      signedIn: true,
      name: mode === 'approver' ? 'Pat Approver' : 'Sam Support',
      roles: [mode === 'approver' ? 'approver' : 'support'],
      accounts: [],
      product: product(),
    };
  if (mode.startsWith('operations'))
    return { signedIn: true, name: 'Olive Operations', roles: ['operations'], accounts: [], product: product() };
  if (mode === 'auditor')
    return { signedIn: true, name: 'Robin Auditor', roles: ['auditor'], accounts: [], product: product() };
  return {
    signedIn: true,
    name: 'Alice Moreau',
    email: 'alice@example.com',
    roles: ['owner'],
    accounts: [account()],
    product: product(),
  };
}

const has = (label) => (thread) => {
  const { labelIds } = rowOf(thread);
  const hidden = labelIds.includes('TRASH') || labelIds.includes('SPAM');
  if (label === 'ALL') return !hidden;
  return labelIds.includes(label) && (!hidden || label === 'TRASH' || label === 'SPAM');
};

function page(list, token) {
  const from = Number(token ?? 0);
  const rows = list.toSorted((a, b) => b.messages.at(-1).date - a.messages.at(-1).date).map(rowOf);
  const more = from + 50 < rows.length;
  return { threads: rows.slice(from, from + 50), estimate: rows.length, ...(more && { nextPage: String(from + 50) }) };
}

function countLabels() {
  return labels.map((label) => {
    const members = threads.filter(has(label.id));
    return {
      ...label,
      threadsTotal: members.length,
      threadsUnread: members.filter((thread) => rowOf(thread).unread).length,
    };
  });
}

function relabel(ids, add = [], remove = [], key = 'id') {
  for (const thread of threads)
    for (const message of thread.messages)
      if (ids.includes(key === 'id' ? thread.id : message.id))
        message.labelIds = [...new Set([...message.labelIds.filter((id) => !remove.includes(id)), ...add])];
}

function saveDraft(id, compose) {
  const messageId = (Date.now() * 16 + Math.floor(Math.random() * 16)).toString(16);
  const draft = { id, messageId, threadId: compose.threadId ?? messageId, compose: { ...compose, draftId: id } };
  delete draft.compose.ifMessageId;
  drafts.set(id, draft);
  threads = threads.filter((thread) => thread.draftId !== id);
  if (!compose.threadId)
    threads.push({
      id: messageId,
      draftId: id,
      subject: compose.subject,
      messages: [
        {
          id: messageId,
          threadId: messageId,
          subject: compose.subject,
          from: { name: 'Alice Moreau', email: 'alice@example.com' },
          to: compose.to,
          cc: [],
          date: Date.now(),
          labelIds: ['DRAFT'],
          draft: true,
          draftId: id,
          snippet: compose.html.replace(/<[^>]*>/g, ' ').trim(),
          attachments: [],
          kind: 'letter',
        },
      ],
    });
  return draft;
}

/** Permissions to load images, by message id or "sender:" and an address. */
const permits = new Map();

function imagesOf(message) {
  const sender = permits.get(`sender:${message.from.email}`);
  const held = sender ?? permits.get(message.id);
  return {
    remote: 3,
    trackers: 2,
    trackedBy: ['Mailchimp', 'example.net'],
    shown: sender ? 'sender' : held ? 'message' : 'none',
    senderProven: true,
    ...(held && { permission: held.id }),
  };
}

function permit(message, whose) {
  permits.set(whose === 'sender' ? `sender:${message.from.email}` : message.id, {
    id: randomUUID(),
    feature: 'remote_images',
    recipient: 'remote_host',
    for: whose,
    shown: message.from.email,
    given: new Date().toISOString(),
    expires: new Date(Date.now() + (whose === 'sender' ? 365 * 24 : 1) * 3_600_000).toISOString(),
  });
  return imagesOf(message);
}

/** Images, unsubscribing and permissions; undefined for any other call. */
function outside(method, path, body) {
  const [, id, act] = /\/messages\/([^/]+)\/(images|unsubscribe)$/.exec(path) ?? [];
  const message = id && threads.flatMap((thread) => thread.messages).find((each) => each.id === id);
  if (message && act === 'images') return method === 'POST' ? permit(message, body.for) : imagesOf(message);
  if (message) return { host: body.host, accepted: true };
  if (path.endsWith('/permissions')) return { permissions: [...permits.values()] };
  const [, permission] = /\/permissions\/([^/]+)$/.exec(path) ?? [];
  if (!permission) return undefined;
  for (const [key, { id: held }] of permits) if (held === permission) permits.delete(key);
  return [204];
}

const problem = (status, code, title, more = {}) => ({
  status,
  problem: { type: 'about:blank', title, status, code, ...more },
});

/** Answers an API call: a value for 200, [status, value], or a problem. */
function api(method, path, query, body) {
  const answer = outside(method, path, body);
  if (answer !== undefined) return answer;
  if (path === '/api/session') return session();
  if (path === '/api/session/sign-out') return ((mode = 'signed-out'), [204]);
  if (path === '/api/audit/checkpoint')
    return {
      size: 48_213,
      root: 'qQ1Y0u0mVxg7sW0nX0hV8yq2bJm0n3cB6jKJb0dYw0E=',
      text: 'webmail.example/log\n48213\nqQ1Y0u0mVxg7sW0nX0hV8yq2bJm0n3cB6jKJb0dYw0E=\n\n— webmail.example/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n',
      verifierKey: 'webmail.example/log+03de0ae9+AdF0h0o2b8n0v1l1m0b0y4gQ8o5D3cC1h2l9m8n7b6v5',
    };
  if (path === '/api/audit/decisions') return decisions(query);
  const audited = auditConsole(method, path, query, body);
  if (audited) return audited;
  if (path === '/api/staff/numbers') return numbers(mode);
  if (path === '/api/staff/service') return serviceFigures();
  if (mode === 'gate')
    return problem(503, 'gate_closed', 'Access is paused', {
      since: new Date(Date.now() - 1_500_000).toISOString(),
      retryAfterMs: 30_000,
      requestId: 'req-7f31',
    });
  const own = rights(mode, method, path, body, problem);
  if (own) return own;
  const human = access(mode, method, path, body, { threads, messageOf, problem });
  if (human) return human;
  const rest = path.replace(/^\/api\/accounts\/[^/]+/, '');
  const connected = services(method, rest);
  if (connected) return connected;
  const thread = /^\/threads\/([0-9a-f]+)$/.exec(rest)?.[1];
  const single = /^\/messages\/([0-9a-f]+)$/.exec(rest)?.[1];
  const draft = /^\/drafts\/(.+)$/.exec(rest)?.[1];
  const undo = /^\/outbox\/(.+)\/undo$/.exec(rest)?.[1];
  if (rest === '/labels') return { labels: countLabels() };
  if (rest === '/threads' && mode === 'empty') return { threads: [], estimate: 0 };
  if (rest === '/threads' && mode === 'denied')
    return problem(403, 'policy_denied', 'This access is not allowed', {
      detail: 'Your mailbox is used only to provide the mail client.',
      clauses: ['LU-1', 'CP-2'],
      decisionId: '0c9e1b6a-5c1f-4a9b-8c3e-6f0f3a1b2c4d',
      requestId: 'req-11ab',
    });
  if (rest === '/threads' && mode === 'limited')
    return problem(429, 'rate_limited', 'Gmail asks us to slow down', {
      detail: 'Too many requests for this mailbox in a short time.',
      retryAfterMs: 23_000,
    });
  if (rest === '/threads') return page(threads.filter(has(query.get('label') ?? 'INBOX')), query.get('page'));
  if (rest === '/search') {
    const words = body.query
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => !word.includes(':'));
    return page(
      threads.filter(
        (each) =>
          has('ALL')(each) &&
          words.every((word) => JSON.stringify(each).toLowerCase().includes(word)) &&
          (!body.query.includes('is:unread') || rowOf(each).unread),
      ),
      body.page,
    );
  }
  if (thread) {
    const found = threads.find(({ id }) => id === thread);
    return found
      ? {
          id: found.id,
          subject: found.subject,
          labelIds: rowOf(found).labelIds,
          messages: found.messages.map(messageOf),
        }
      : problem(404, 'not_found', 'This conversation is gone', {
          detail: 'It may have been deleted in another window.',
        });
  }
  if (single) {
    const found = threads.flatMap((each) => each.messages).find(({ id }) => id === single);
    return found ? messageOf(found) : problem(404, 'not_found', 'This message is gone');
  }
  if (rest.endsWith('/prefetch')) return [204];
  if (rest.endsWith('/headers'))
    return {
      headers: [
        { name: 'Delivered-To', value: 'alice@example.com' },
        {
          name: 'Received',
          value: 'by 2002:a05:6402:1234 with SMTP id b12csp1; Mon, 23 Nov 2026 12:14:06 -0800 (PST)',
        },
        {
          name: 'Authentication-Results',
          value: 'mx.google.com; dkim=pass header.i=@northlight.example; spf=pass; dmarc=pass',
        },
        { name: 'From', value: 'Maya Lindqvist <maya.lindqvist@northlight.example>' },
        { name: 'Subject', value: 'Lisbon offsite: final agenda and rooms' },
      ],
    };
  if (rest === '/threads/modify' && mode === 'refuse')
    return problem(502, 'upstream_unavailable', 'Gmail does not answer', { detail: 'Try again in a moment.' });
  if (rest === '/threads/modify') return (relabel(body.threads, body.add, body.remove), [204]);
  if (rest === '/threads/trash') return (relabel(body.threads, ['TRASH'], ['INBOX']), [204]);
  if (rest === '/threads/untrash') return (relabel(body.threads, [], ['TRASH']), [204]);
  if (rest === '/messages/modify') return (relabel(body.messages, body.add, body.remove, 'message'), [204]);
  if (rest === '/drafts') return [201, saveDraft(`d${randomUUID().slice(0, 8)}`, body)];
  if (draft && method === 'GET') return drafts.get(draft) ?? problem(404, 'not_found', 'This draft is gone');
  if (draft && method === 'PUT')
    return mode === 'conflict' && body.ifMessageId
      ? problem(409, 'draft_conflict', 'The draft was changed elsewhere')
      : saveDraft(draft, body);
  if (draft) return (drafts.delete(draft), (threads = threads.filter((each) => each.draftId !== draft)), [204]);
  if (rest === '/send') {
    const item = {
      id: randomUUID().slice(0, 8),
      state: mode === 'send-fails' ? 'failed' : 'queued',
      undoUntil: Date.now() + 10_000,
      subject: body.compose.subject,
      ...(mode === 'send-fails' && { error: 'Gmail refused an address. Check the recipients and send it again.' }),
    };
    outbox.set(item.id, { item, compose: body.compose });
    return [202, item];
  }
  if (rest === '/outbox')
    return {
      items: [...outbox.values()].map(({ item }) =>
        item.state === 'queued' && item.undoUntil < Date.now() ? { ...item, state: 'sent' } : item,
      ),
    };
  if (undo) {
    const kept = outbox.get(undo);
    outbox.delete(undo);
    return kept ? kept.compose : problem(409, 'too_late', 'The message has left');
  }
  if (rest === '/disconnect') return ((mode = 'signed-out'), [204]);
  return problem(404, 'not_found', 'There is no such thing');
}

function live(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': open\n\n');
  streams.add(response);
  response.on('close', () => streams.delete(response));
}

function arrive() {
  const [fresh] = makeThreads(1);
  const id = (Date.now() * 16).toString(16);
  fresh.id = id;
  fresh.subject = 'Just arrived: the keys are under the mat';
  for (const message of fresh.messages)
    Object.assign(message, { id, threadId: id, date: Date.now(), labelIds: ['INBOX', 'UNREAD'] });
  threads.push(fresh);
  const change = { historyId: String(Date.now()), threads: [id], labels: ['INBOX'], arrived: 1 };
  for (const stream of streams) stream.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`);
}

function mood(query) {
  if (query.has('mode')) mode = query.get('mode');
  if (query.has('reset')) {
    threads = makeThreads();
    resetAccess(threads);
    resetServices();
    drafts.clear();
    outbox.clear();
  }
  if (query.has('arrive')) arrive();
}

async function asset(path, response) {
  const file = normalize(join(dist, path));
  const known = file.startsWith(dist) && extname(file) in types && path !== '/';
  const body = await readFile(known ? file : join(dist, 'index.html'));
  const type = known ? types[extname(file)] : types['.html'];
  response.writeHead(200, {
    'content-type': type,
    'content-security-policy': pagePolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  response.end(body);
}

const html = (response, policy, text) => {
  response.writeHead(200, {
    'content-type': types['.html'],
    'content-security-policy': policy,
    'cache-control': 'no-store',
  });
  response.end(text);
};

/** A file for each kind that the invented mail has: a page of text stands for the PDF. */
function preview(pathname, response) {
  const picture = pathname.endsWith('/3');
  response.writeHead(200, {
    'content-type': picture ? 'image/svg+xml' : 'text/plain; charset=utf-8',
    'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'self'",
    'cache-control': 'no-store',
  });
  const sea = '<rect width="900" height="600" fill="#8fc7e8"/><rect y="380" width="900" height="220" fill="#2b7a9b"/>';
  response.end(
    picture
      ? `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600">${sea}<circle cx="680" cy="150" r="60" fill="#ffd75e"/></svg>`
      : 'Agenda\n\n09:00  Doors\n09:30  What we learned\n12:30  Lunch on the terrace\n',
  );
}

async function bytesOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const server = createServer(async (request, response) => {
  try {
    const { pathname, searchParams } = new URL(request.url, 'http://mock');
    if (pathname === '/__mock') return (mood(searchParams), response.end(mode));
    if (pathname === '/blank')
      return html(response, blankPolicy, '<!doctype html><html lang="en"><title>blank</title><body></body></html>');
    if (pathname === '/__agree') {
      agreed(searchParams);
      response.writeHead(303, { location: '/settings/access' });
      return response.end();
    }
    if (pathname.startsWith('/body/') || pathname.startsWith('/staff/body/')) {
      const id = pathname.split('/').at(-1);
      const message = threads.flatMap((thread) => thread.messages).find((each) => each.id === id);
      return html(response, bodyPolicy, message ? bodyOf(message, searchParams.get('theme') === 'dark') : 'gone');
    }
    if (pathname.startsWith('/attachment/')) {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' });
      return response.end('mock');
    }
    if (pathname.startsWith('/preview/')) return preview(pathname, response);
    if (pathname.startsWith('/auth/')) {
      mode = pathname.includes('staff') ? 'auditor' : 'mail';
      response.writeHead(303, { location: '/' });
      return response.end();
    }
    if (pathname.endsWith('/events') || pathname === '/api/audit/stream') return live(response);
    if (!pathname.startsWith('/api/')) return await asset(pathname, response);
    const bytes = await bytesOf(request);
    if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, 4_000));
    if (pathname.endsWith('/uploads')) {
      const name = /filename="([^"]*)"/.exec(bytes.subarray(0, 500).toString())?.[1] ?? 'file';
      return json(response, 201, { id: randomUUID(), name, type: 'application/octet-stream', size: bytes.length });
    }
    const answer = api(request.method, pathname, searchParams, bytes.length ? JSON.parse(bytes.toString()) : {});
    if (answer.problem) json(response, answer.status, answer.problem);
    else if (Array.isArray(answer)) json(response, ...answer);
    else json(response, 200, answer);
  } catch (error) {
    json(response, 500, { type: 'about:blank', title: String(error), status: 500, code: 'internal' });
  }
});

function json(response, status, value) {
  response.writeHead(status, {
    'content-type': status < 400 ? 'application/json' : 'application/problem+json',
    'cache-control': 'no-store',
  });
  response.end(value === undefined ? undefined : JSON.stringify(value));
}

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  process.stdout.write(`mock server (no real mail, no protection): http://127.0.0.1:${server.address().port}/\n`);
});
