// The study notes' e-mail worker. What it is to do takes no time here: nothing is measured but what
// becomes of the worker.

process.on('message', async (msg) => {
  if (msg.task === 'send-confirmation') {
    console.log(`Email worker ${process.pid} processing order ${msg.order.id}`);

    // Send email (this runs in separate process)
    await sendConfirmationEmail(msg.order);

    process.send({
      task: 'email-sent',
      orderId: msg.order.id,
      workerPID: process.pid,
    });
  }
});

async function sendConfirmationEmail() {}
