/** X.509 certificates for TLS tests, made on the spot: EC P-256, valid for a day. */
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs what `issue` asks of it. */
export class Authority implements Certificate {
  readonly cert: string;
  readonly key: string;
  readonly #name: Buffer;

  constructor(name = "test authority") {
    this.#name = distinguishedName(name);
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.key = pemKey(pair.privateKey);
    const constraints = extension([0x55, 0x1d, 0x13], sequence(tlv(0x01, Buffer.of(0xff))), true);
    this.cert = certificate(this.#name, this.#name, pair.publicKey, pair.privateKey, constraints);
  }

  /** A certificate for localhost and 127.0.0.1, or for a client of that name. */
  issue(name = "localhost"): Certificate {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const address = tlv(0x87, Buffer.of(127, 0, 0, 1));
    const names = sequence(tlv(0x82, Buffer.from(name)), address);
    const alternative = extension([0x55, 0x1d, 0x11], names);
    const authority = createPrivateKey(this.key);
    const subject = distinguishedName(name);
    const cert = certificate(subject, this.#name, pair.publicKey, authority, alternative);
    return { cert, key: pemKey(pair.privateKey) };
  }
}

const ECDSA_SHA256 = sequence(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
const HOUR_MS = 3_600_000;

function certificate(
  subject: Buffer,
  issuer: Buffer,
  publicKey: KeyObject,
  signer: KeyObject,
  extensions: Buffer,
): string {
  const now = Date.now();
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_SHA256,
    issuer,
    sequence(utcTime(now - HOUR_MS), utcTime(now + 24 * HOUR_MS)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(extensions)),
  );
  const signature = sign("sha256", toBeSigned, signer);
  const bits = tlv(0x03, Buffer.concat([Buffer.of(0), signature]));
  const body = sequence(toBeSigned, ECDSA_SHA256, bits).toString("base64");
  const lines = body.replace(/.{64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function pemKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

function distinguishedName(commonName: string): Buffer {
  const pair = sequence(oid([0x55, 0x04, 0x03]), tlv(0x0c, Buffer.from(commonName)));
  return sequence(tlv(0x31, pair));
}

function extension(id: readonly number[], value: Buffer, critical = false): Buffer {
  const flag = critical ? [tlv(0x01, Buffer.of(0xff))] : [];
  return sequence(oid(id), ...flag, tlv(0x04, value));
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  return tlv(0x17, Buffer.from(digits.slice(2)));
}

function oid(bytes: readonly number[]): Buffer {
  return tlv(0x06, Buffer.from(bytes));
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const header = length < 128 ? [length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...header), value]);
}
