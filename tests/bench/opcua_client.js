// One client under measurement, on node-opcua: node opcua_client.js URL FOLDER TAGS NODES EVERY_MS SECONDS
//
// Monitored item groups of 1,000, the fastest way it has. Tags beyond the server's nodes are further items on the same
// nodes. FOLDER keeps its certificate. Prints what opcua_client.py prints.
"use strict";
const path = require("node:path");
const { OPCUAClient, ClientSubscription, ClientMonitoredItemGroup, AttributeIds, TimestampsToReturn, MessageSecurityMode,
    SecurityPolicy, OPCUACertificateManager } = require(path.join(__dirname, "../peers/node_modules/node-opcua"));

const [url, folder] = process.argv.slice(2, 4);
const [tags, nodes, everyMs, seconds] = process.argv.slice(4).map(Number);
const NAMESPACE = "urn:tanchang:bench";
const SETTLE_MS = 2000;
const AT_ONCE = 1000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function main() {
    const client = OPCUAClient.create({
        endpointMustExist: false,
        securityMode: MessageSecurityMode.None,
        securityPolicy: SecurityPolicy.None,
        requestedSessionTimeout: 60000,
        clientCertificateManager: new OPCUACertificateManager({ rootFolder: folder }),
    });
    await client.connect(url);
    const session = await client.createSession();
    const known = await session.readNamespaceArray();
    const index = known.indexOf(NAMESPACE);
    const subscription = ClientSubscription.create(session, {
        requestedPublishingInterval: everyMs,
        requestedLifetimeCount: 1000,
        requestedMaxKeepAliveCount: 10,
        maxNotificationsPerPublish: 0,
        publishingEnabled: true,
        priority: 0,
    });
    let values = 0;
    for (let start = 0; start < tags; start += AT_ONCE) {
        const items = [];
        for (let n = start; n < Math.min(tags, start + AT_ONCE); n++) {
            items.push({ nodeId: `ns=${index};s=t${n % nodes}`, attributeId: AttributeIds.Value });
        }
        const how = { samplingInterval: everyMs, queueSize: 10, discardOldest: true };
        const group = ClientMonitoredItemGroup.create(subscription, items, how, TimestampsToReturn.Source);
        group.on("changed", () => values++);
        await new Promise((done) => group.on("initialized", done));
    }
    while (!values) await pause(50);
    await pause(SETTLE_MS);
    const [cpu, began, before] = [process.cpuUsage(), performance.now(), values];
    await pause(seconds * 1000);
    const cost = process.cpuUsage(cpu);
    const told = { cpu: (cost.user + cost.system) / 1e6, seconds: (performance.now() - began) / 1000 };
    console.log(JSON.stringify({ event: "done", ...told, values: values - before }));
    process.exit(0);
}

main();
