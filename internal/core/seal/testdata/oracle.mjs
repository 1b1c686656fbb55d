// The other side of oracle_test.go: seals and opens with node's own crypto.
// "make" prints a fresh key pair and what it sealed; "open" reads sealed
// things from stdin and prints what they open to.
import * as crypto from 'node:crypto'
import { readFileSync } from 'node:fs'

const padding = crypto.constants.RSA_PKCS1_PADDING
const lengths = [0, 1, 15, 16, 17, 4096, 65535, 65536, 65537, 200000]

function make() {
  const pair = crypto.generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  const sign = bytes => crypto.privateEncrypt({ key: pair.privateKey, padding }, bytes)
  const key = crypto.randomBytes(16)
  const iv = crypto.randomBytes(16)
  const digest = crypto.createHash('sha256').update('content').digest('hex')
  const files = lengths.map(n => {
    const plain = crypto.randomBytes(n)
    const c = crypto.createCipheriv('aes-128-cbc', key, iv)
    return { plain: plain.toString('base64'), sealed: Buffer.concat([c.update(plain), c.final()]).toString('base64') }
  })
  return {
    ...pair,
    session: `${iv.toString('base64')}:${sign(key).toString('base64')}`,
    digest,
    hash: sign(Buffer.from(digest, 'hex')).toString('hex'),
    hashV2: sign(Buffer.from(digest, 'base64')).toString('base64'),
    files,
  }
}

function open(given) {
  const recover = bytes => crypto.publicDecrypt({ key: given.publicKey, padding }, bytes)
  const [iv, key] = given.session.split(':').map(s => Buffer.from(s, 'base64'))
  const aes = recover(key)
  return {
    hash: recover(Buffer.from(given.hash, 'hex')).toString('hex'),
    hashV2: recover(Buffer.from(given.hashV2, 'base64')).toString('base64'),
    files: given.files.map(f => {
      const d = crypto.createDecipheriv('aes-128-cbc', aes, iv)
      return { plain: Buffer.concat([d.update(Buffer.from(f.sealed, 'base64')), d.final()]).toString('base64') }
    }),
  }
}

const result = process.argv[2] === 'make' ? make() : open(JSON.parse(readFileSync(0, 'utf8')))
process.stdout.write(JSON.stringify(result))
