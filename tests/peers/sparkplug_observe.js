// An independent eye: reads what a tap saw on MQTT links, says in JSON what it meant.
// In:  {"chunks": [{"n", "link", "way": "up"|"down", "version", "bytes"}], "encode": [payload, ...]}   (bytes in base64)
// Out: {"packets": [{"n", "link", "way", "cmd", ...}], "encoded": [bytes, ...]}
// A Sparkplug payload comes as the bare message ("wire": set fields only) and as the library understands it ("lib").
const { parser } = require("mqtt-packet");
const sparkplug = require("sparkplug-payload").get("spBv1.0");
const { Payload } = require("sparkplug-payload/lib/sparkplugPayloadProto").org.eclipse.tahu.protobuf;

function sparkplugOf(topic, bytes) {
  if (!topic.startsWith("spBv1.0/") || topic.startsWith("spBv1.0/STATE/")) return { text: bytes.toString("utf8") };
  const wire = Payload.toObject(Payload.decode(bytes), { longs: Number });
  return { wire, lib: JSON.parse(JSON.stringify(sparkplug.decodePayload(bytes), (_, v) => (v && v.unsigned !== undefined && v.low !== undefined ? Number(v) : v))) };
}

function told(packet) {
  const { cmd, topic, qos, retain, dup, clean, clientId, protocolVersion, properties, subscriptions, reasonCode, returnCode } = packet;
  const out = { cmd, topic, qos, retain, dup, clean, clientId, protocolVersion, properties, subscriptions, reasonCode, returnCode };
  if (packet.will) {
    const will = packet.will;
    out.will = { topic: will.topic, qos: will.qos, retain: will.retain, ...sparkplugOf(will.topic, will.payload) };
  }
  if (cmd === "publish") Object.assign(out, sparkplugOf(topic, packet.payload));
  return out;
}

function main(input) {
  const parsers = new Map();
  const packets = [];
  for (const { n, link, way, version, bytes } of input.chunks) {
    const key = `${link}/${way}`;
    if (!parsers.has(key)) {
      const one = { n, parser: parser({ protocolVersion: version }) };
      one.parser.on("packet", (packet) => packets.push({ n: one.n, link, way, ...told(packet) }));
      one.parser.on("error", (error) => { throw error; });
      parsers.set(key, one);
    }
    const one = parsers.get(key);
    one.n = n;
    one.parser.parse(Buffer.from(bytes, "base64"));
  }
  const encoded = (input.encode ?? []).map((payload) => Buffer.from(sparkplug.encodePayload(payload)).toString("base64"));
  process.stdout.write(JSON.stringify({ packets, encoded }));
}

let text = "";
process.stdin.on("data", (piece) => (text += piece)).on("end", () => main(JSON.parse(text)));
