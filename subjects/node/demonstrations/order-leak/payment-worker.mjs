// As the study notes' e-mail worker, which is the one that they show.

process.on('message', async (msg) => {
  if (msg.task === 'process-payment') {
    console.log(`Payment worker ${process.pid} processing order ${msg.order.id}`);

    // Process the payment (this runs in separate process)
    await processPayment(msg.order);

    process.send({
      task: 'payment-processed',
      orderId: msg.order.id,
      workerPID: process.pid,
    });
  }
});

async function processPayment() {}
