// As the study notes' e-mail worker, which is the one that they show.

process.on('message', async (msg) => {
  if (msg.task === 'update-stock') {
    console.log(`Inventory worker ${process.pid} processing order ${msg.order.id}`);

    // Update the stock (this runs in separate process)
    await updateStock(msg.order);

    process.send({
      task: 'stock-updated',
      orderId: msg.order.id,
      workerPID: process.pid,
    });
  }
});

async function updateStock() {}
