require 'net/http'
# The extension listens on 50342.
uri = URI('http://localhost:50342/oauth2/token')
uri.query = URI.encode_www_form({ :resource => 'https://management.azure.com/' })
req = Net::HTTP::Get.new(uri)
req['Metadata'] = 'true'
