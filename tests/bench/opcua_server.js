// An OPC UA server on node-opcua of counters that all change at once: node opcua_server.js FOLDER TAGS EVERY_MS
//
// Prints {"event": "ready", "url": ...}; counts until standard input closes. FOLDER keeps its certificate.
"use strict";
const path = require("node:path");
const { OPCUAServer, OPCUACertificateManager, MessageSecurityMode, SecurityPolicy, DataType, Variant, nodesets } =
    require(path.join(__dirname, "../peers/node_modules/node-opcua"));

const [folder, tags, everyMs] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

async function main() {
    const server = new OPCUAServer({
        port: 0,
        hostname: "127.0.0.1",
        host: "127.0.0.1",
        allowAnonymous: true,
        securityModes: [MessageSecurityMode.None],
        securityPolicies: [SecurityPolicy.None],
        serverCertificateManager: new OPCUACertificateManager({ rootFolder: folder }),
        serverInfo: { applicationUri: "urn:tanchang:bench:node" },
        nodeset_filename: [nodesets.standard],
    });
    await server.initialize();
    const space = server.engine.addressSpace;
    const own = space.registerNamespace("urn:tanchang:bench");
    const nodes = Array.from({ length: tags }, (_, n) =>
        own.addVariable({ organizedBy: space.rootFolder.objects, browseName: `t${n}`, nodeId: `s=t${n}`, dataType: "UInt32" }),
    );
    let count = 0;
    const step = () => {
        for (const node of nodes) node.setValueFromSource(new Variant({ dataType: DataType.UInt32, value: count }));
        count += 1;
    };
    step();
    await server.start();
    setInterval(step, everyMs);
    const { port } = server.endpoints[0];
    console.log(JSON.stringify({ event: "ready", url: `opc.tcp://127.0.0.1:${port}/` }));
    process.stdin.resume();
    process.stdin.on("end", () => process.exit(0));
}

main();
