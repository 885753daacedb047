'use strict'
/**
 * libas2, loaded and made usable on today's Node; shared by send.js and receive.js.
 *
 * Every departure from the library as published stands here, with its reason. What it writes on the wire stays its own.
 */
const crypto = require('crypto')
const as2 = require('libas2')
const pkijs = require('pkijs/build/index')
const { AS2SignedData } = require('libas2/dist/src/AS2Crypto/AS2SignedData')
const { AS2EnvelopedData } = require('libas2/dist/src/AS2Crypto/AS2EnvelopedData')

/**
 * PKCS#1 v1.5 decryption without Node's help. Since CVE-2023-46809 (18.19.1, 20.11.1, 21.6.2) Node refuses
 * RSA_PKCS1_PADDING unless started with --security-revert=CVE-2023-46809, or linked with an OpenSSL that rejects
 * implicitly. Raw RSA is allowed everywhere, and a test peer needs no defence against timing.
 */
const nodePrivateDecrypt = crypto.privateDecrypt
crypto.privateDecrypt = function (options, data) {
  if (options.padding !== crypto.constants.RSA_PKCS1_PADDING) return nodePrivateDecrypt(options, data)
  const block = nodePrivateDecrypt({ ...options, padding: crypto.constants.RSA_NO_PADDING }, data)
  const end = block.indexOf(0, 2)
  if (block[0] !== 0 || block[1] !== 2 || end < 10) throw new Error('PKCS#1 v1.5: the block is not a padded key')
  return block.subarray(end + 1)
}

/**
 * The library reads a message as text: it spreads all octets as arguments of one call (stack overflow above about
 * 120 kB), turns octets above 127 into UTF-8 when it rebuilds a part for verification, and finds a base64 or binary
 * signature only beside a Content-Disposition. Giving the parser a Latin-1 string, and its nodes back as octets, mends that.
 */
const parse = as2.AS2Parser.parse.bind(as2.AS2Parser)
as2.AS2Parser.parse = async function (content) {
  const node = await parse(Buffer.isBuffer(content) ? content.toString('latin1') : content)
  const restore = part => {
    if (typeof part.raw === 'string') part.raw = Buffer.from(part.raw, 'latin1')
    if (part.childNodes.length === 0) part.content = bodyOf(part)
    part.childNodes.forEach(restore)
  }
  restore(node)
  return node
}

/** What was signed and encrypted last; libas2 computes the digest for the MIC and then forgets it. */
const last = { signedDigest: undefined, encryptedEntity: undefined }
const sign = AS2SignedData.prototype.sign
AS2SignedData.prototype.sign = async function (options) {
  const made = await sign.call(this, options)
  last.signedDigest = this.getMessageDigest()
  return made
}
const encrypt = AS2EnvelopedData.prototype.encrypt
AS2EnvelopedData.prototype.encrypt = async function (...options) {
  last.encryptedEntity = Buffer.from(this.data)
  return encrypt.apply(this, options)
}

/** The library always asks for RSAES-OAEP with SHA-512; this chooses another hash ("sha1", "sha256", ...). */
const addRecipient = pkijs.EnvelopedData.prototype.addRecipientByCertificate
let oaepHash = 'SHA-512'
pkijs.EnvelopedData.prototype.addRecipientByCertificate = function (certificate, parameters, variant) {
  return addRecipient.call(this, certificate, { ...parameters, oaepHashAlgorithm: oaepHash }, variant)
}
function setOaepHash(name) {
  const known = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' }
  if (!known[name]) throw new Error(`oaep takes ${Object.keys(known)}, got '${name}'`)
  oaepHash = known[name]
}

/** A parsed node of an HTTP message, from its raw headers (name, value, name, value...) and its body's octets. */
async function parseHttp(rawHeaders, body) {
  let head = ''
  for (let i = 0; i < rawHeaders.length; i += 2) head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  return as2.AS2Parser.parse(Buffer.concat([Buffer.from(head + '\r\n', 'latin1'), body]))
}

/** The decoded body of a parsed MIME part, without the line end that belongs to the boundary after it. */
function bodyOf(part) {
  const text = part.raw.toString('latin1')
  const head = /^[^]*?\r?\n\r?\n/.exec(text)
  if (!head) return Buffer.alloc(0)
  const tail = part.parentNode ? /(\r?\n)?$/.exec(text.slice(-2))[0].length : 0
  const body = part.raw.subarray(head[0].length, Math.max(head[0].length, part.raw.length - tail))
  const encoding = (/^content-transfer-encoding:[ \t]*(\S+)/im.exec(head[0]) || [])[1] || 'binary'
  return decodeTransfer(body, encoding.toLowerCase())
}

function decodeTransfer(body, encoding) {
  if (encoding === 'base64') return Buffer.from(body.toString('latin1'), 'base64')
  if (encoding !== 'quoted-printable') return body
  const text = body.toString('latin1').replace(/[ \t]+(?=\r?\n|$)/g, '').replace(/=\r?\n/g, '')
  return Buffer.from(text.replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1')
}

/** "sha-256", "SHA256" and the like as Node's "sha256"; undefined for what is no SHA. */
function hashName(spelling) {
  const match = /^sha-?(1|256|384|512)$/i.exec((spelling || '').trim())
  return match ? 'sha' + match[1] : undefined
}

/** Options from words "key=value" or "--key=value" or "--key value"; unknown ones are refused. */
function readOptions(words, known) {
  const options = {}
  for (let i = 0; i < words.length; i++) {
    const dashed = words[i].startsWith('--')
    const word = dashed ? words[i].slice(2) : words[i]
    const at = word.indexOf('=')
    const key = at < 0 ? word : word.slice(0, at)
    if (at < 0 && (!dashed || i + 1 >= words.length)) throw new Error(`expected --key=value, got '${words[i]}'`)
    if (!(key in known)) throw new Error(`unknown option '${key}'; known: ${Object.keys(known).join(' ')}`)
    options[key] = at < 0 ? words[++i] : word.slice(at + 1)
  }
  return { ...known, ...options }
}

module.exports = { ...as2, last, setOaepHash, parseHttp, bodyOf, hashName, readOptions }
