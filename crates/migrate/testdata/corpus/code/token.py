import json
import requests


def query():
    return requests.get('http://localhost:50342/oauth2/token?resource=https://vault.azure.net',
                        headers={'Metadata': 'true'}).json()


def form(resource):
    response = requests.post(
        "http://localhost:50342/oauth2/token",
        data={"resource": resource},
        headers={"Metadata": "true"},
    )
    return response.json()["access_token"]


def computed(port, resource):
    url = 'http://localhost:{}/oauth2/token'.format(port)
    return requests.post(url, data={'resource': resource}, headers={'Metadata': 'true'})


def discovered():
    with open('/var/lib/waagent/ManagedIdentity-Settings') as settings:
        return json.load(settings)['url'] + '/oauth2/token'
