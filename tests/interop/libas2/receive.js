'use strict'
/**
 * An AS2 receiver of libas2 on 127.0.0.1. Prints {"port": N} when it listens and then one line of JSON per request.
 * Ends when its standard input ends, so that it does not outlive the test that started it.
 */
const crypto = require('crypto')
const fs = require('fs')
const http = require('http')
const path = require('path')
const as2 = require('./library')

const OPTIONS = {
  port: '0',
  id: 'LIBAS2', // our AS2 name
  partner: 'SIGNET', // theirs; another AS2-From is answered with 403
  cert: undefined, // ours: decrypts, and signs MDNs
  key: undefined,
  partner_cert: undefined, // verifies messages
  repair: 'yes', // yes: signed MDNs that verify, see repaired(); no: as libas2 makes them, which nobody can verify
  out: undefined, // directory for payloads, named N.payload
  log_mdn: 'no' // yes: the MDN's body goes into the line
}

async function main() {
  const options = as2.readOptions(process.argv.slice(2), OPTIONS)
  let count = 0
  const server = http.createServer(async (request, response) => {
    const number = ++count
    const line = await serve(options, number, request, response).catch(error => {
      if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain' })
      response.end(error.message)
      return { error: error.message }
    })
    process.stdout.write(JSON.stringify({ number, ...line }) + '\n')
  })
  server.listen(Number(options.port), '127.0.0.1', () => {
    process.stdout.write(JSON.stringify({ port: server.address().port }) + '\n')
  })
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
}

async function serve(options, number, request, response) {
  const body = await as2.AS2Parser.streamToBuffer(request)
  const line = { method: request.method, from: request.headers['as2-from'], to: request.headers['as2-to'], messageId: request.headers['message-id'] }
  if (request.method !== 'POST') return refuse(response, 405, 'POST only', line)
  if (unquoted(line.from) !== options.partner) return refuse(response, 403, 'unknown partner', line)
  const node = await as2.parseHttp(request.rawHeaders, body)
  const layers = await lookInside(node, options)
  const made = await as2.AS2Disposition.outgoing({ node, agreement: agreement(options, request, layers) })
  const plain = made.contentNode || undefined
  const payload = plain && layers.readable ? as2.bodyOf(plain) : undefined
  if (payload && options.out) fs.writeFileSync(path.join(options.out, `${number}.payload`), payload)
  const mdn = await answer(made.dispositionNode, options, request, response)
  const disposition = made.disposition.notification
  return {
    ...line,
    encrypted: layers.encrypted,
    signed: layers.signed,
    processed: disposition.disposition.processed,
    reason: disposition.disposition.description,
    mic: disposition.receivedContentMic,
    contentType: plain && plain.contentType,
    filename: plain && plain.filename,
    size: payload && payload.length,
    sha256: payload && crypto.createHash('sha256').update(payload).digest('hex'),
    mdn
  }
}

function refuse(response, status, reason, line) {
  response.writeHead(status, { 'Content-Type': 'text/plain' })
  response.end(reason)
  return { ...line, status, error: reason }
}

function unquoted(name) {
  const match = /^"(.*)"$/.exec(name || '')
  return match ? match[1].replace(/\\(.)/g, '$1') : name
}

/** libas2 must be told beforehand whether a message is encrypted and signed; so this looks. */
async function lookInside(node, options) {
  const layers = { encrypted: isEnveloped(node), signed: false, readable: true }
  let inner = node
  if (layers.encrypted) {
    try {
      inner = await node.decrypt({ cert: fs.readFileSync(options.cert), key: fs.readFileSync(options.key) })
    } catch {
      return { ...layers, readable: false } // outgoing() will meet the same failure and word it
    }
  }
  layers.signed = /^\s*multipart\/signed/i.test(inner.contentType || '')
  return layers
}

/** Also with smime-type in quotes, which libas2 itself does not recognise, and without it. */
function isEnveloped(node) {
  const type = node.contentType || ''
  if (!/^\s*application\/(x-)?pkcs7-mime/i.test(type)) return false
  const smimeType = (/smime-type="?([^";\s]*)/i.exec(type) || [])[1]
  return !smimeType || smimeType.toLowerCase() === 'enveloped-data'
}

function agreement(options, request, layers) {
  const read = file => file && fs.readFileSync(file)
  return as2.getAgreementOptions({
    host: {
      name: options.id, id: options.id, url: 'http://127.0.0.1/', sign: wantsSigned(request) ? 'sha-256' : false,
      decrypt: layers.encrypted, certificate: read(options.cert), privateKey: read(options.key)
    },
    partner: {
      name: options.partner, id: options.partner, url: 'http://127.0.0.1/', file: 'EDIX12', encrypt: false,
      verify: layers.signed, certificate: read(options.partner_cert),
      mdn: { async: false, signing: wantsSigned(request) || false }
    }
  })
}

/** The first hash of the request's list that libas2 knows, in its spelling; undefined when no signed MDN is wanted. */
function wantsSigned(request) {
  const wish = request.headers['disposition-notification-options'] || ''
  if (!/signed-receipt-protocol\s*=[^;]*pkcs7-signature/i.test(wish)) return undefined
  const list = (/signed-receipt-micalg\s*=([^;]*)/i.exec(wish) || [])[1] || ''
  const first = list.split(',').map(as2.hashName).find(name => name !== undefined)
  return first && first.replace('sha', 'sha-')
}

async function answer(mdnNode, options, request, response) {
  if (!request.headers['disposition-notification-to']) {
    response.writeHead(200)
    response.end()
    return 'none'
  }
  const signing = wantsSigned(request)
  const built = await mdnNode.build()
  const raw = signing && options.repair === 'yes' ? repaired(built) : built
  const end = raw.indexOf('\r\n\r\n')
  const headers = as2.parseHeaderString(raw.subarray(0, end).toString('latin1'))
  const body = raw.subarray(end + 4)
  const url = request.headers['receipt-delivery-option']
  if (url) {
    response.writeHead(200, { 'Content-Length': 0 })
    response.end()
    await post(url, { ...headers, 'Content-Length': body.length }, body)
  } else {
    response.writeHead(200, { ...headers, 'Content-Length': body.length })
    response.end(body)
  }
  const kind = signing ? 'signed' : 'unsigned'
  return options.log_mdn === 'yes' ? { kind, body: body.toString('latin1') } : kind
}

/** The receipt by a connection of its own. libas2 leaves that to its user. */
function post(url, headers, body) {
  if (new URL(url).hostname !== '127.0.0.1') throw new Error(`this peer talks to the loopback only, not to ${url}`)
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers }, response => response.resume().on('end', resolve))
    request.on('error', reject)
    request.end(body)
  })
}

/**
 * libas2 signs a multipart without the CRLF that it then writes after the closing boundary, and adds another before the
 * next one. Taking one CRLF out makes the octets on the wire those that were signed; nothing else is touched.
 */
function repaired(raw) {
  const text = raw.toString('latin1')
  const extra = text.indexOf('--\r\n\r\n--')
  return extra < 0 ? raw : Buffer.concat([raw.subarray(0, extra + 4), raw.subarray(extra + 6)])
}

main()
