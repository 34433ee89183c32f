// An OPC UA server on node-opcua that counts: node counting_opcua.js FOLDER LIFE SHIFT EVERY_MS [secured]
//
// Nodes s=light, s=good, s=serial, s=check of urn:tanchang:counting; good counts from 0, serial is LIFE * 1000000 + good,
// check is a hash of serial. SHIFT namespaces come before ours. FOLDER keeps its certificate. Prints its port.
// This stack samples: it counts on when all nodes were sampled, so that its queues hold every count, or after PATIENCE.
// Secured it lets in line3 by its password alone, over an encrypted channel, once its client's certificate is trusted.
// Words on standard input: bad, well (the quality of all values), halt (stops counting and prints good), trust (what was
// rejected; prints how many certificates). Ends with it.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const { OPCUAServer, OPCUACertificateManager, MessageSecurityMode, SecurityPolicy, DataType, StatusCodes, Variant } =
    require("node-opcua");

const [folder, life, shift, every] = [process.argv[2], ...process.argv.slice(3, 6).map(Number)];
const secured = process.argv[6] === "secured";

const PATIENCE = 5; // intervals without a sample: nobody subscribes

function check(serial) {
    return Math.imul(serial, 2654435761) >>> 0;
}

async function trust(manager) {
    const rejected = path.join(folder, "rejected");
    const files = fs.readdirSync(rejected);
    for (const file of files) {
        const pem = fs.readFileSync(path.join(rejected, file), "latin1");
        await manager.trustCertificate(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64"));
    }
    console.log(JSON.stringify({ trusted: files.length }));
}

async function main() {
    const server = new OPCUAServer({
        port: 0,
        hostname: "127.0.0.1",
        host: "127.0.0.1",
        allowAnonymous: !secured,
        securityModes: [secured ? MessageSecurityMode.SignAndEncrypt : MessageSecurityMode.None],
        securityPolicies: [secured ? SecurityPolicy.Basic256Sha256 : SecurityPolicy.None],
        userManager: { isValidUser: (name, password) => name === "line3" && password === "geheim" },
        serverCertificateManager: new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: !secured }),
        serverInfo: { applicationUri: "urn:tanchang:counting:node" },
        nodeset_filename: [require("node-opcua").nodesets.standard],
    });
    await server.initialize();
    const space = server.engine.addressSpace;
    for (let n = 0; n < shift; n++) space.registerNamespace(`urn:tanchang:before${n}`);
    const own = space.registerNamespace("urn:tanchang:counting");
    const [light, good, serial, hash] = ["light", "good", "serial", "check"].map((name) =>
        own.addVariable({ organizedBy: space.rootFolder.objects, browseName: name, nodeId: `s=${name}`, dataType: "UInt32" }),
    );
    const unsampled = new Set();
    for (const node of [light, good, serial, hash]) {
        const read = node.readValueAsync.bind(node);
        node.readValueAsync = (context, done) => {
            unsampled.delete(node);
            return read(context, done);
        };
    }
    let count = 0;
    let waited = 0;
    let quality = StatusCodes.Good;
    const put = (node, value) => node.setValueFromSource(new Variant({ dataType: DataType.UInt32, value }), quality);
    const tell = () => {
        const whole = life * 1000000 + count;
        put(light, 4);
        put(good, count);
        put(hash, check(whole));
        put(serial, whole);
        [good, hash, serial].forEach((node) => unsampled.add(node));
    };
    tell();
    await server.start();
    console.log(JSON.stringify({ port: server.endpoints[0].port }));
    const timer = setInterval(() => {
        waited += 1;
        if (unsampled.size > 0 && waited < PATIENCE) return;
        waited = 0;
        count += 1;
        tell();
    }, every);
    const words = readline.createInterface({ input: process.stdin });
    words.on("line", (word) => {
        if (word === "trust") return void trust(server.serverCertificateManager);
        quality = word === "bad" ? StatusCodes.BadSensorFailure : word === "well" ? StatusCodes.Good : quality;
        if (word === "halt") {
            clearInterval(timer);
            console.log(JSON.stringify({ good: count }));
        } else {
            tell();
        }
    });
    words.on("close", () => process.exit(0));
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
