"""Drives the emulator with Google's own client, unmodified: built from the discovery
document that the emulator serves, with batches, resumable uploads and paging.

    drive.py ROOT_URL

The token alice must be alice@example.com with every scope; bob@example.com must exist.
"""
import base64
import io
import sys

import googleapiclient.discovery
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload, build_http

root = sys.argv[1]
api = googleapiclient.discovery.build(
    'gmail', 'v1', discoveryServiceUrl=root + '$discovery/rest?version={apiVersion}', cache_discovery=False,
    http=AuthorizedHttp(Credentials('alice'), http=build_http()))
users = api.users()
MAIL = b'To: bob@example.com\r\nSubject: %s\r\n\r\n%s\r\n'


def refused(status, reason, request):
    try:
        request.execute()
    except HttpError as e:
        assert e.resp.status == status and reason in e.content.decode(), (e.resp.status, e.content)
    else:
        raise AssertionError('no error, want %d %s' % (status, reason))


start = users.getProfile(userId='me').execute()
assert start['emailAddress'] == 'alice@example.com'
assert 'INBOX' in [l['id'] for l in users.labels().list(userId='alice@example.com').execute()['labels']]

# Sending, as JSON and as an upload in chunks: PUT with Content-Range, 308 between them.
sent = users.messages().send(userId='me', body={'raw': base64.urlsafe_b64encode(MAIL % (b'small', b'x')).decode()}).execute()
assert sent['labelIds'] == ['SENT'], sent
big = MAIL % (b'big', b'0123456789abcdef' * 70000)
upload = users.messages().insert(userId='me', body={'labelIds': ['INBOX']}, internalDateSource='dateHeader', media_body=MediaIoBaseUpload(
    io.BytesIO(big), 'message/rfc822', chunksize=512 * 1024, resumable=True))
chunks, answer = 0, None
while answer is None:
    _, answer = upload.next_chunk()
    chunks += 1
assert chunks == 3, chunks
assert base64.urlsafe_b64decode(users.messages().get(userId='me', id=answer['id'], format='raw').execute()['raw']) == big
draft = users.drafts().create(userId='me', body={}, media_body=MediaIoBaseUpload(io.BytesIO(MAIL % (b'draft', b'y')), 'message/rfc822')).execute()
users.drafts().send(userId='me', body={'id': draft['id']}).execute()

# Batches go to the batchPath of the document and are matched by Content-ID.
label = users.labels().create(userId='me', body={'name': 'From Python'}).execute()
ids = [users.messages().insert(userId='me', body={'labelIds': ['INBOX', label['id']], 'raw': base64.urlsafe_b64encode(MAIL % (b'n%d' % n, b'z')).decode()}).execute()['id']
       for n in range(5)]
got, failed = {}, {}


def take(name, answer, error):
    if error:
        failed[name] = error.resp.status
    else:
        got[name] = answer['snippet']


batch = api.new_batch_http_request(callback=take)
for n, id in enumerate(ids):
    batch.add(users.messages().get(userId='me', id=id, format='metadata', metadataHeaders=['Subject']), request_id='r %d' % n)
batch.add(users.messages().get(userId='me', id='00000000000000ff'), request_id='gone')
batch.execute()
assert sorted(got) == ['r 0', 'r 1', 'r 2', 'r 3', 'r 4'] and failed == {'gone': 404}, (got, failed)

# Paging, partial answers, errors.
pages, request = 0, users.messages().list(userId='me', labelIds=[label['id']], maxResults=2, fields='messages/id,nextPageToken')
seen = []
while request is not None:
    page = request.execute()
    assert set(page['messages'][0]) == {'id'}, page
    seen += [m['id'] for m in page['messages']]
    request = users.messages().list_next(request, page)
    pages += 1
assert sorted(seen) == sorted(ids) and pages == 3, (pages, seen)
users.messages().batchModify(userId='me', body={'ids': ids, 'addLabelIds': ['STARRED']}).execute()
users.messages().trash(userId='me', id=ids[0]).execute()
users.messages().delete(userId='me', id=ids[1]).execute()
history = users.history().list(userId='me', startHistoryId=start['historyId'], historyTypes=['labelAdded', 'messageDeleted']).execute()['history']
assert any('messagesDeleted' in h for h in history) and any('labelsAdded' in h for h in history), history
refused(404, 'notFound', users.messages().get(userId='me', id=ids[1]))
refused(400, 'Invalid label', users.messages().modify(userId='me', id=ids[2], body={'addLabelIds': ['Label_99']}))
watch = users.watch(userId='me', body={'topicName': 'projects/p/topics/t'}).execute()
assert int(watch['expiration']) > 0
users.stop(userId='me').execute()
users.settings().updateVacation(userId='me', body={'enableAutoReply': True, 'responseSubject': 'Away'}).execute()
assert users.settings().getVacation(userId='me').execute()['enableAutoReply'] is True
print('done')
