// Drives the emulator with Google's own client, unmodified: every method of the API,
// uploads, paging, partial answers and errors.
//
//	node drive.js ROOT_URL PKCS12_FILE PKCS7_FILE
//
// The token alice must be alice@example.com with every scope; bob@example.com and
// carol@other.example must exist. It prints how many methods it called.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gmail, auth } from '@googleapis/gmail'

const [rootUrl, pkcs12File, pkcs7File] = process.argv.slice(2)
const login = new auth.OAuth2()
login.setCredentials({ access_token: 'alice' })
const api = gmail({ version: 'v1', auth: login, rootUrl, retry: false })

const called = new Set()
/**
 * Calls a method by its id without "gmail.users." and gives the answer's data. The
 * client takes the root of uploads from the call alone.
 */
async function call(id, params = {}) {
  called.add(id)
  const names = id.split('.')
  const method = names.pop()
  const resource = names.reduce((at, name) => at[name], api.users)
  return (await resource[method]({ userId: 'me', ...params }, { rootUrl })).data
}
/** Expects an error with this status and reason. */
async function refused(status, reason, promise) {
  const err = await promise.then(() => assert.fail(`no error, want ${status} ${reason}`), (e) => e)
  assert.equal(err.response?.status, status, err.message)
  assert.equal(err.response.data.error.errors[0].reason, reason)
}
const raw = (text) => Buffer.from(text).toString('base64url')
const mixed = 'To: bob@example.com\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png\r\n\r\nAA\r\n--b--\r\n'
const bob = 'bob@example.com'
const alice = 'alice@example.com'
const sales = 'sales@example.com'

const { historyId, emailAddress } = await call('getProfile')
assert.equal(emailAddress, alice)
const watch = await call('watch', { requestBody: { topicName: 'projects/p/topics/t', labelIds: ['INBOX'] } })
assert.equal(watch.historyId, historyId)

const label = await call('labels.create', { requestBody: { name: 'L', color: { textColor: '#000000', backgroundColor: '#ffffff' } } })
await refused(409, 'aborted', call('labels.create', { requestBody: { name: 'l' } }))
assert.ok((await call('labels.list')).labels.some((l) => l.id === label.id))
await call('labels.patch', { id: label.id, requestBody: { name: 'M' } })
await call('labels.update', { id: label.id, requestBody: { name: 'N' } })
assert.equal((await call('labels.get', { id: label.id })).name, 'N')

const draft = await call('drafts.create', { requestBody: { message: { raw: raw(mixed) } } })
const updated = await call('drafts.update', { id: draft.id, requestBody: {}, media: { mimeType: 'message/rfc822', body: mixed } })
assert.equal(updated.id, draft.id)
assert.notEqual(updated.message.id, draft.message.id)
assert.equal((await call('drafts.list', { q: 'subject:s' })).drafts.length, 1)
assert.equal((await call('drafts.get', { id: draft.id, format: 'raw' })).message.raw, Buffer.from(mixed).toString('base64').replaceAll('+', '-').replaceAll('/', '_'))
const sent = await call('drafts.send', { requestBody: { id: draft.id } })
assert.deepEqual(sent.labelIds, ['SENT'])
const scrap = await call('drafts.create', { requestBody: { message: { raw: raw(mixed) } } })
await call('drafts.delete', { id: scrap.id })

const message = await call('messages.get', { id: sent.id })
const { attachmentId } = message.payload.parts[1].body
assert.equal((await call('messages.attachments.get', { messageId: sent.id, id: attachmentId })).data, 'QUE=')
const few = await call('messages.get', { id: sent.id, format: 'metadata', metadataHeaders: ['Subject', 'To'], fields: 'id,payload/headers' })
assert.deepEqual(Object.keys(few), ['id', 'payload'])
assert.equal(few.payload.headers.length, 2)
await refused(404, 'notFound', call('messages.get', { id: '00000000000000ff' }))
await refused(400, 'invalidArgument', call('messages.get', { id: 'nonsense' }))
await call('messages.modify', { id: sent.id, requestBody: { addLabelIds: [label.id] } })
await call('messages.batchModify', { requestBody: { ids: [sent.id], addLabelIds: ['STARRED'] } })
await call('messages.trash', { id: sent.id })
await call('messages.untrash', { id: sent.id })
await call('messages.send', { requestBody: { raw: raw(mixed) } })
await call('messages.send', { requestBody: {}, media: { mimeType: 'message/rfc822', body: Readable.from([mixed]) } })
const ids = []
for (let i = 0; i < 3; i++) {
  ids.push((await call('messages.insert', { internalDateSource: 'receivedTime', requestBody: { labelIds: ['INBOX', 'UNREAD'] }, media: { mimeType: 'message/rfc822', body: `Subject: page ${i}\r\n\r\nx` } })).id)
}
const seen = []
let pageToken
do {
  const page = await call('messages.list', { labelIds: ['INBOX', 'UNREAD'], q: 'subject:page', maxResults: 2, pageToken })
  seen.push(...page.messages.map((m) => m.id))
  pageToken = page.nextPageToken
} while (pageToken)
assert.deepEqual(seen.sort(), ids.sort())
await refused(400, 'invalidArgument', call('messages.list', { pageToken: 'nonsense' }))
await call('messages.import', { requestBody: { raw: raw(mixed) } })
await call('messages.delete', { id: ids[0] })
await call('messages.batchDelete', { requestBody: { ids: ids.slice(1) } })

assert.ok((await call('threads.list', { q: 'is:starred' })).threads.some((t) => t.id === sent.threadId))
assert.ok((await call('threads.get', { id: sent.threadId, format: 'minimal' })).messages.length > 0)
await call('threads.modify', { id: sent.threadId, requestBody: { removeLabelIds: ['STARRED'] } })
await call('threads.trash', { id: sent.threadId })
await call('threads.untrash', { id: sent.threadId })
const history = await call('history.list', { startHistoryId: historyId, historyTypes: ['messageAdded', 'labelAdded'] })
assert.ok(history.history.some((h) => h.labelsAdded))
await refused(404, 'notFound', call('history.list', { startHistoryId: '1' }))
await call('threads.delete', { id: sent.threadId })
await call('labels.delete', { id: label.id })
await call('stop')

await call('settings.updateVacation', { requestBody: { enableAutoReply: true, responseSubject: 's', startTime: '1', endTime: '2' } })
assert.equal((await call('settings.getVacation')).endTime, '2')
await call('settings.updateImap', { requestBody: { enabled: true, expungeBehavior: 'archive' } })
await call('settings.getImap')
await call('settings.updatePop', { requestBody: { accessWindow: 'allMail', disposition: 'trash' } })
await call('settings.getPop')
await call('settings.updateLanguage', { requestBody: { displayLanguage: 'de' } })
await call('settings.getLanguage')
await call('settings.forwardingAddresses.create', { requestBody: { forwardingEmail: bob } })
await call('settings.forwardingAddresses.get', { forwardingEmail: bob })
await call('settings.forwardingAddresses.list')
await call('settings.updateAutoForwarding', { requestBody: { enabled: true, emailAddress: bob, disposition: 'archive' } })
await call('settings.getAutoForwarding')
const filter = await call('settings.filters.create', { requestBody: { criteria: { from: 'x' }, action: { addLabelIds: ['STARRED'] } } })
await refused(400, 'failedPrecondition', call('settings.filters.create', { requestBody: { criteria: { from: 'x' }, action: { addLabelIds: ['STARRED'] } } }))
await call('settings.filters.get', { id: filter.id })
assert.equal((await call('settings.filters.list')).filter.length, 1)
await call('settings.filters.delete', { id: filter.id })
await call('settings.forwardingAddresses.delete', { forwardingEmail: bob })
await call('settings.delegates.create', { requestBody: { delegateEmail: bob } })
await call('settings.delegates.get', { delegateEmail: bob })
await call('settings.delegates.list')
await call('settings.delegates.delete', { delegateEmail: bob })
await call('settings.sendAs.create', { requestBody: { sendAsEmail: sales, signature: '<b>S</b>' } })
await call('settings.sendAs.create', { requestBody: { sendAsEmail: 'carol@other.example' } })
await call('settings.sendAs.verify', { sendAsEmail: 'carol@other.example' })
assert.equal((await call('settings.sendAs.list')).sendAs.length, 3)
assert.equal((await call('settings.sendAs.get', { sendAsEmail: sales })).signature, '<b>S</b>')
await call('settings.sendAs.patch', { sendAsEmail: sales, requestBody: { displayName: 'Sales' } })
await call('settings.sendAs.update', { sendAsEmail: sales, requestBody: { displayName: 'Sales' } })
await call('settings.sendAs.delete', { sendAsEmail: sales })
const smime = await call('settings.sendAs.smimeInfo.insert', { sendAsEmail: alice, requestBody: { pkcs12: readFileSync(pkcs12File).toString('base64url'), encryptedKeyPassword: 'open' } })
await call('settings.sendAs.smimeInfo.get', { sendAsEmail: alice, id: smime.id })
await call('settings.sendAs.smimeInfo.list', { sendAsEmail: alice })
await call('settings.sendAs.smimeInfo.setDefault', { sendAsEmail: alice, id: smime.id })
await call('settings.sendAs.smimeInfo.delete', { sendAsEmail: alice, id: smime.id })
const pair = await call('settings.cse.keypairs.create', { requestBody: { pkcs7: readFileSync(pkcs7File, 'utf8'), privateKeyMetadata: [{ hardwareKeyMetadata: { description: 'card' } }] } })
const keyPairId = pair.keyPairId
await call('settings.cse.keypairs.get', { keyPairId })
await call('settings.cse.keypairs.list')
await call('settings.cse.identities.create', { requestBody: { emailAddress: alice, primaryKeyPairId: keyPairId } })
await call('settings.cse.identities.get', { cseEmailAddress: alice })
await call('settings.cse.identities.list')
await call('settings.cse.identities.patch', { emailAddress: alice, requestBody: { primaryKeyPairId: keyPairId } })
await call('settings.cse.identities.delete', { cseEmailAddress: alice })
await call('settings.cse.keypairs.disable', { keyPairId, requestBody: {} })
await call('settings.cse.keypairs.enable', { keyPairId, requestBody: {} })
await refused(400, 'failedPrecondition', call('settings.cse.keypairs.obliterate', { keyPairId, requestBody: {} }))

console.log(`methods called: ${called.size}`)
