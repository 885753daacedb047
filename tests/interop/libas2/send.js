'use strict'
/**
 * Sends a file with libas2 and prints what came back as one line of JSON. With arguments: one message, and the exit code
 * is 0 only for a receipt that proves delivery. Without: one message per line of standard input, options parted by tabs;
 * the line "listen" opens a port for receipts that are posted, and prints its URL, for messages with async=yes after it.
 */
const crypto = require('crypto')
const fs = require('fs')
const http = require('http')
const path = require('path')
const readline = require('readline')
const as2 = require('./library')

const OPTIONS = {
  url: undefined, // http://127.0.0.1:PORT/as2
  file: undefined,
  from: 'LIBAS2', // AS2-From
  to: 'SIGNET', // AS2-To
  type: 'application/EDI-X12', // Content-Type of the payload
  sign: 'none', // sha1 sha256 sha384 sha512
  encrypt: 'none', // aes128-CBC aes192-CBC aes256-CBC, des-EDE3-CBC; aesNNN-GCM is not standard CMS
  oaep: 'sha512', // hash of RSAES-OAEP, the only key transport libas2 writes
  mdn: 'signed', // none unsigned optional signed; optional: asks the way libas2 does without mdn.signing
  cert: undefined, // ours, for signing
  key: undefined, // ours, PKCS#8
  partner_cert: undefined, // theirs: encrypts the message, verifies the MDN
  async: 'no', // yes: the receipt is to be posted to the port of "listen"
  message_id: undefined,
  save: undefined, // directory for request.body, request.head.json and response.body
  timeout: '30000' // milliseconds until the whole answer is here
}

async function send(words) {
  const options = as2.readOptions(words, OPTIONS)
  if (!options.url || !options.file) throw new Error('url and file are needed')
  refuseOtherHosts(options.url)
  as2.setOaepHash(options.oaep)
  as2.last.signedDigest = as2.last.encryptedEntity = undefined
  const payload = fs.readFileSync(options.file)
  const request = await compose(options, payload)
  const posted = options.async === 'yes' ? receipts.next() : undefined
  const answer = await Promise.race([as2.request({ ...request }), deadline(Number(options.timeout))])
  const result = { messageId: request.headers['Message-ID'] || request.headers['Message-Id'], status: answer.statusCode }
  if (posted) result.answered = answer.rawBody.length
  const reply = posted && result.answered === 0 ? await Promise.race([posted, deadline(Number(options.timeout))]) : answer
  if (options.save) save(options.save, request, reply)
  if (options.mdn === 'none') return { ...result, delivered: reply.statusCode >= 200 && reply.statusCode < 300 }
  try {
    return { ...result, ...(await readReceipt(options, request, payload, reply)) }
  } catch (error) {
    return { ...result, delivered: false, error: error.message, body: reply.rawBody.toString('latin1').slice(0, 500) }
  }
}

/** Receipts that come by a connection of their own, one at a time. */
const receipts = {
  url: undefined,
  taken: undefined,
  next() {
    if (!this.url) throw new Error('async=yes comes after "listen"')
    return new Promise(resolve => { this.taken = resolve })
  },
  listen() {
    const server = http.createServer(async (request, response) => {
      const rawBody = await as2.AS2Parser.streamToBuffer(request)
      response.writeHead(200, { 'Content-Length': 0 })
      response.end()
      if (this.taken) this.taken({ statusCode: 200, rawHeaders: request.rawHeaders, rawBody })
    })
    return new Promise(resolve => server.listen(0, '127.0.0.1', () => {
      this.url = `http://127.0.0.1:${server.address().port}/receipts`
      resolve({ url: this.url })
    }))
  }
}

function refuseOtherHosts(url) {
  const host = new URL(url).hostname
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(host)) throw new Error(`this peer talks to the loopback only, not to ${host}`)
}

function deadline(milliseconds) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds).unref()
  })
}

async function compose(options, payload) {
  const signing = as2.hashName(options.sign)
  if (!signing && options.sign !== 'none') throw new Error(`sign takes none or sha1...sha512, got '${options.sign}'`)
  if (!['none', 'unsigned', 'optional', 'signed'].includes(options.mdn)) throw new Error(`mdn=${options.mdn} is unknown`)
  const spelling = signing && signing.replace('sha', 'sha-')
  const composer = new as2.AS2Composer({
    message: {
      filename: path.basename(options.file),
      contentType: options.type,
      content: payload,
      contentDisposition: true,
      ...(options.message_id ? { messageId: options.message_id } : {})
    },
    agreement: {
      host: {
        name: options.from, id: options.from, url: receipts.url || 'http://127.0.0.1/', decrypt: false,
        sign: spelling || false,
        certificate: options.cert && fs.readFileSync(options.cert),
        privateKey: options.key && fs.readFileSync(options.key),
        ...(options.mdn === 'none' ? {} : { mdn: { async: options.async === 'yes', signing: options.mdn === 'signed' ? spelling || 'sha-256' : false } })
      },
      partner: {
        name: options.to, id: options.to, url: options.url, file: 'EDIX12', verify: false,
        encrypt: options.encrypt === 'none' ? false : options.encrypt,
        certificate: options.partner_cert && fs.readFileSync(options.partner_cert)
      }
    }
  })
  const request = await composer.toRequestOptions()
  if (options.mdn === 'unsigned') delete request.headers['Disposition-Notification-Options']
  return request
}

async function readReceipt(options, request, payload, reply) {
  const node = await as2.parseHttp(reply.rawHeaders, reply.rawBody)
  const signed = /^\s*multipart\/signed/i.test(node.contentType || '')
  const unverified = new as2.AS2Disposition(node)
  if (!unverified.notification) throw new Error('the answer is not an MDN')
  let verified = false
  if (signed && options.partner_cert) {
    verified = await node.dispositionIn({ cert: fs.readFileSync(options.partner_cert) }).then(() => true, () => false)
  }
  const notification = unverified.notification
  const mic = compareMic(notification.receivedContentMic, request, payload)
  const disposition = notification.disposition || {}
  const sameMessage = notification.originalMessageId === (request.headers['Message-ID'] || request.headers['Message-Id'])
  return {
    delivered:
      reply.statusCode === 200 && disposition.processed === true && !disposition.description && sameMessage &&
      (options.mdn !== 'signed' || verified) && (mic.matches || (!mic.received && options.sign === 'none')),
    mdn: { signed, verified, sameMessage, explanation: unverified.explanation },
    processed: disposition.processed === true,
    modifier: disposition.description, // {type: "error", text}
    disposition: rawField(node, 'Disposition'),
    mic
  }
}

/** libas2 does not compare MICs itself. `rule` says which octets of the message gave the receiver's digest. */
function compareMic(received, request, payload) {
  if (!received) return { received: null, matches: false }
  const hash = as2.hashName(received.algorithm)
  const digest = octets => crypto.createHash(hash).update(octets).digest('base64')
  const rules = {}
  if (as2.last.signedDigest) {
    if (as2.hashName(as2.last.signedDigest.algorithm) === hash) rules['signed entity'] = as2.last.signedDigest.digest.toString('base64')
  } else if (as2.last.encryptedEntity) {
    rules['encrypted entity'] = digest(as2.last.encryptedEntity)
  } else {
    rules['content as sent'] = digest(Buffer.from(request.body, 'utf8'))
    rules['content decoded'] = digest(payload)
  }
  const given = Buffer.from(received.mic, 'base64')
  const rule = Object.keys(rules).find(name => Buffer.from(rules[name], 'base64').equals(given))
  return { received: `${received.mic}, ${received.algorithm}`, expected: Object.values(rules)[0], matches: rule !== undefined, rule }
}

function rawField(node, name) {
  const text = node.raw.toString('latin1').replace(/\r?\n[ \t]+/g, ' ')
  return (new RegExp(`^${name}:[ \\t]*(.*?)\\r?$`, 'im').exec(text) || [])[1]
}

function save(directory, request, reply) {
  fs.mkdirSync(directory, { recursive: true })
  fs.writeFileSync(path.join(directory, 'request.body'), request.body)
  fs.writeFileSync(path.join(directory, 'request.head.json'), JSON.stringify(request.headers, null, 1))
  fs.writeFileSync(path.join(directory, 'response.head.json'), JSON.stringify(reply.rawHeaders, null, 1))
  fs.writeFileSync(path.join(directory, 'response.body'), reply.rawBody)
}

async function answer(words) {
  const result = await send(words).catch(error => ({ delivered: false, error: error.message }))
  await new Promise(resolve => process.stdout.write(JSON.stringify(result) + '\n', resolve))
  return result
}

async function main() {
  // libas2 adds listeners to a kept-alive connection with each message.
  require('events').defaultMaxListeners = 0
  if (process.argv.length > 2) process.exit((await answer(process.argv.slice(2))).delivered ? 0 : 1)
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line === 'quit') break
    if (line === 'listen') process.stdout.write(JSON.stringify(await receipts.listen()) + '\n')
    else await answer(line.split('\t'))
  }
  process.exit(0)
}

main()
