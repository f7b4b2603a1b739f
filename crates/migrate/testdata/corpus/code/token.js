const axios = require('axios');

async function query(resource) {
  const response = await fetch('http://localhost:50342/oauth2/token?resource=' + encodeURIComponent(resource), {
    headers: { Metadata: 'true' },
  });
  return (await response.json()).access_token;
}

async function form(resource) {
  const response = await fetch('http://localhost:50342/oauth2/token', {
    method: 'POST',
    headers: { Metadata: 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ resource }),
  });
  return (await response.json()).access_token;
}

const get = (resource) => axios.get('http://localhost:50342/oauth2/token', { params: { resource }, headers: { Metadata: 'true' } });
